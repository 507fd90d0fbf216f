"""``monitor models``: the speech recognition models on this machine, and downloading one."""

import argparse
import sys

EXAMPLES = """\
examples:
  monitor models                        installed models, and those that can be downloaded
  monitor models get base.en            download a model (145 MB) into the Hugging Face cache
  monitor replay call.wav --model base.en
Models are looked for in MONITOR_MODELS and in the Hugging Face caches before anything is downloaded;
HF_HUB_OFFLINE=1 forbids downloads."""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = subparsers.add_parser(
        "models",
        help="List or download speech recognition models",
        description="Lists the Whisper models that can be used, or downloads one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run_list, json=False)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="list the models (the default)")
    listing.add_argument("--json", action="store_true", help="print JSON lines and nothing else on stdout")
    listing.set_defaults(run=run_list)
    get = actions.add_parser("get", help="download a model")
    get.add_argument("name", metavar="NAME", help="for example base.en, small.en or large-v3")
    get.set_defaults(run=run_get)


def run_list(args: argparse.Namespace) -> int:
    """Prints every model with where it lies; the exit code."""
    from monitor.speech.model_store import list_models

    models = list_models()
    if args.json:
        import msgspec

        for model in models:
            sys.stdout.buffer.write(msgspec.json.encode(model) + b"\n")
        return 0
    width = max(len(model.name) for model in models)
    for model in models:
        where = f"{model.folder} ({model.megabytes} MB)" if model.folder else "not installed"
        sys.stdout.write(f"{model.name:{width}}  {where}{f'; {model.remark}' if model.remark else ''}\n")
    sys.stdout.write("`monitor models get NAME` downloads one.\n")
    return 0


def run_get(args: argparse.Namespace) -> int:
    """Fetches one model, unless it is here already; the exit code."""
    from monitor.errors import BadInput
    from monitor.speech.model_store import REPOSITORIES, fetch, find, unknown_model

    if args.name in ("bundled", "script", "none"):
        raise BadInput(f"{args.name} needs no fetching; say --model {args.name}.")
    if args.name not in REPOSITORIES:
        raise BadInput(unknown_model(args.name))
    here = find(args.name)
    folder = here or fetch(args.name)
    sys.stdout.write(f"{args.name} is {'already ' if here else ''}in {folder}\n")
    return 0
