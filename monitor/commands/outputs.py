"""Where the events of a call go, as a command line says it: the terminal, files, a page, a hub."""

import argparse
import os
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import BadInput

if TYPE_CHECKING:
    from monitor.call import CallInfo
    from monitor.client.address import HubAddress
    from monitor.client.uplink import Uplink
    from monitor.session import Served
    from monitor.sinks import Sink
    from monitor.wire.addresses import Address

STOPPED = 130
"""The exit code after Ctrl-C."""

SERVE_AT = "127.0.0.1:8765"


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Where events go.

    ``json``: JSON lines on stdout instead of the console; ``prosody`` adds ten lines a second for each side.
    ``journal``: a folder. ``transcripts``: files, by their suffix. ``serve``: HOST:PORT of a page beside the
    call, opened in the browser with ``open_page``. ``uplink``: a hub's URL, with ``token_file``.
    """

    json: bool = False
    prosody: bool = False
    journal: Path | None = None
    transcripts: tuple[Path, ...] = ()
    serve: str | None = None
    open_page: bool = False
    uplink: str | None = None
    token_file: Path | None = None


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """The options that recordings and live calls share."""
    parser.add_argument("--json", action="store_true", help="print JSON lines and nothing else on stdout")
    parser.add_argument(
        "--prosody", action="store_true", help="with --json: also ten lines a second for each side"
    )
    parser.add_argument("--journal", type=Path, metavar="DIR", help="write every event to DIR/CALL.jsonl")
    parser.add_argument(
        "--serve",
        nargs="?",
        const=SERVE_AT,
        metavar="HOST:PORT",
        help=f"serve the page and the events on this machine (default {SERVE_AT})",
    )
    parser.add_argument(
        "--uplink", metavar="URL", help="send the call to a hub, for example ws://127.0.0.1:8765"
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="the token for that hub (or set MONITOR_TOKEN)"
    )
    parser.add_argument("--agent", metavar="NAME", help="the agent whose call it is")
    parser.add_argument("--team", metavar="NAME", help="the team whose supervisors may see the call")


def output_options(args: argparse.Namespace) -> OutputOptions:
    """The outputs that a command line asks for."""
    return OutputOptions(
        json=args.json,
        prosody=args.prosody,
        journal=args.journal,
        transcripts=tuple(getattr(args, "transcript", ())),
        serve=args.serve,
        uplink=args.uplink,
        token_file=args.token_file,
    )


def build_sinks(outputs: OutputOptions, seconds: float | None) -> "list[Sink]":
    """The sinks on this machine; ``seconds`` is the call's length, where it is known. Raises ``BadInput``."""
    from monitor.sinks.journal import JournalSink
    from monitor.sinks.jsonl import JsonSink
    from monitor.sinks.transcript import TranscriptSink

    sinks: list[Sink] = [TranscriptSink(path) for path in outputs.transcripts]
    if outputs.journal:
        sinks.append(JournalSink(outputs.journal))
    if outputs.json:
        sinks.append(JsonSink(sys.stdout.buffer, prosody=outputs.prosody))
    else:
        from monitor.sinks.console import ConsoleSink, Outlet

        sinks.append(ConsoleSink(Outlet(), length=seconds))
    return sinks


def hub_address(outputs: OutputOptions) -> "HubAddress":
    """The hub of ``--uplink``, with its token. Raises ``BadInput``."""
    from monitor.client.address import parse_hub
    from monitor.client.credentials import read_token

    return parse_hub(outputs.uplink or "", lambda: read_token(outputs.token_file))


def open_uplink(
    outputs: OutputOptions,
    info: "CallInfo",
    *,
    patience: float | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> "Uplink":
    """A sink that sends a call to the hub of ``--uplink``. Raises ``BadInput``.

    ``patience``: seconds that the end of the call waits for a hub that does not answer. ``tell`` is given
    why the hub will never take this call, where that is so.
    """
    from monitor.client.uplink import PATIENCE, Uplink
    from monitor.wire.messages import CallIdentity

    claimed = CallIdentity(call=info.call, agent=info.agent, team=info.team)
    patience = PATIENCE if patience is None else patience
    return Uplink(hub_address(outputs), claimed, spool_folder(), patience=patience, tell=tell)


def spool_folder() -> Path:
    """Where events wait for their hub."""
    import platformdirs

    return Path(platformdirs.user_data_dir("call-monitor")) / "uplink"


def tell_what_waits(uplink: "Uplink") -> None:
    """After the call: says how much has not reached the hub, and that it is not lost."""
    if uplink.left:
        why = f" ({uplink.trouble})" if uplink.trouble else ""
        sys.stderr.write(
            f"monitor: {uplink.left} lines of this call have not reached the hub{why}; they wait in "
            f"{uplink.folder} and are sent with the next call.\n"
        )


def serving(
    outputs: OutputOptions, call: str | None = None, *, lasts: str = "while the call plays"
) -> "Served | None":
    """The hub of ``--serve``: on loopback, in memory, beside the call; it tells the address of its page.

    Where ``call`` is known the page opens on it, in the agent's view. Raises ``BadInput``.
    """
    if not outputs.serve:
        return None
    from monitor.hub.hub import Hub
    from monitor.hub.log import EventLog
    from monitor.hub.server import HubServer
    from monitor.session import Served
    from monitor.wire.addresses import parse_address

    def tell(bound: "Address") -> None:
        page = f"http://{bound.host}:{bound.port}/" + (f"#role=agent&call={call}" if call else "")
        sys.stderr.write(f"The page is at {page} {lasts}.\n")
        if outputs.open_page:
            webbrowser.open(page)

    address = parse_address(outputs.serve)
    if not address.loopback:
        raise BadInput(
            f"--serve {outputs.serve} can be reached from other machines, and only a hub does that: run "
            "`monitor hub` there with TLS and tokens, and say --uplink here; or say --serve 127.0.0.1:8765."
        )
    return Served(Hub(EventLog()), HubServer(address=address), tell)


def tell_notice(notice: str | None) -> None:
    """Says what there is to know of the recogniser where no console shows it."""
    if notice:
        sys.stderr.write(f"monitor: {notice}\n")


def refuse_no_file(out: Path, example: str = "report.html") -> None:
    """Raises ``BadInput`` where ``out`` cannot be written; asked before the long work begins."""
    if out.is_dir() or not out.parent.is_dir():
        raise BadInput(f"--out {out} is not a file in a folder that exists; name one, such as {example}.")
    if not os.access(out if out.exists() else out.parent, os.W_OK):
        raise BadInput(f"The report cannot be written to {out}; name a file with --out that may be written.")
