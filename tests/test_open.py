"""What is written for people outside is true: files exist, links resolve, every command shown is one."""

import json
import plistlib
import re
import shlex
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from monitor.__main__ import build_parser

ROOT = Path(__file__).resolve().parent.parent
GUIDES = ("CONTRIBUTING.md", "SECURITY.md", "docs/operating.md", "docs/releasing.md", "docs/glossary.md")
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (".", "docs", "deploy", "models", "fixtures", "examples", "benchmarks")
    for path in (ROOT / folder).glob("*.md")
)
UNITS = ("deploy/systemd/call-monitor-hub.service", "deploy/systemd/call-monitor-live.service")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def fences(page: str) -> list[tuple[str, str]]:
    """(language, content) of each fenced block; those inside a list are indented."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```", page, re.MULTILINE | re.DOTALL)
    return [(language, content) for _, language, content in found]


def commands(shell: str) -> list[list[str]]:
    """The words of each command of a shell text, without comments, up to its first operator."""
    shell = "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in shell.splitlines())
    lexer = shlex.shlex(shell.replace("\\\n", " ").replace("\n", ";"), posix=True, punctuation_chars=";|&<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set(";|&<>"):
            found.append([])
        else:
            found[-1].append(word)
    return [words for words in found if words]


def shown(shell: str) -> list[list[str]]:
    """The arguments of each ``monitor`` in a shell text, whatever folder it is called from."""
    return [
        words[at + 1 :]
        for words in commands(shell)
        for at in [next((i for i, word in enumerate(words) if word.split("/")[-1] == "monitor"), None)]
        if at is not None
    ]


def parses(arguments: list[str]) -> None:
    if arguments == ["--version"]:
        return
    try:
        build_parser().parse_args(arguments)
    except SystemExit as wrong:
        raise AssertionError(f"`monitor {shlex.join(arguments)}` is no command of this monitor") from wrong


def test_commands_are_found_in_a_shell_text():
    """The tests below would pass on anything if nothing were found."""
    found = shown(
        'sudo ../bin/monitor hub --db a \\\n  --erase "x y" > out # why\ncd x && monitor live; echo monitors'
    )
    assert found == [["hub", "--db", "a", "--erase", "x y"], ["live"]]
    with pytest.raises(AssertionError, match="hub --lisen"):
        parses(["hub", "--lisen", "x"])


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_shown_is_one(page: str):
    for language, content in fences(text(page)):
        if language == "sh":
            for arguments in shown(content):
                parses(arguments)


def test_the_guides_show_commands():
    for page, least in (("CONTRIBUTING.md", 2), ("docs/operating.md", 12), ("docs/releasing.md", 3)):
        assert sum(len(shown(content)) for _, content in fences(text(page))) >= least, page


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_somewhere(page: str):
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, heading = target.partition("#")
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), f"{page} points to {target}"
        if heading and there.suffix == ".md":
            titles = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {
                re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles
            }, f"{page} points to {target}"


@pytest.mark.parametrize("page", GUIDES)
def test_files_that_are_named_exist(page: str):
    """In backticks and in shell blocks: names with a folder that the project has."""
    content = text(page)
    named = set(re.findall(r"`([\w.-]+(?:/[\w.*-]+)+/?)`", content))
    for language, block in fences(content):
        if language == "sh":
            named |= {word for words in commands(block) for word in words if "/" in word}
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    tried = [name for name in sorted(named) if name.split("/")[0] in folders - {"build", "dist", ".venv"}]
    for name in tried:
        assert list(ROOT.glob(name.rstrip("/"))), f"{page} names {name}"


def make_targets() -> set[str]:
    return set(re.findall(r"^(\w+):", text("Makefile"), re.MULTILINE))


def test_make_knows_what_is_asked_of_it():
    hooks = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    shells = [hook["entry"] for repo in hooks for hook in repo["hooks"]]
    shells += [content for page in PAGES for language, content in fences(text(page)) if language == "sh"]
    asked = {
        word
        for shell in shells
        for words in commands(shell)
        if words[0] == "make"
        for word in words[1:]
        if "=" not in word
    }
    assert {"demo", "test", "lint", "types", "lock"} <= asked
    assert asked <= make_targets()


def test_hooks_fetch_nothing():
    repos = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert {hook["language"] for hook in repos[0]["hooks"]} == {"system"}


# --- what is deployed ---


def started_by(unit: str) -> list[list[str]]:
    lines = text(unit).replace("\\\n", " ").splitlines()
    return [
        arguments
        for line in lines
        if "ExecStart=" in line and "monitor " in line
        for arguments in shown(line.lstrip("# ").removeprefix("ExecStart="))
    ]


@pytest.mark.parametrize("unit", UNITS)
def test_units_start_commands_that_exist(unit: str):
    """Also the ones that their comments propose."""
    found = started_by(unit)
    assert found
    for arguments in found:
        parses(arguments)


def test_launchd_and_the_task_scheduler_start_commands_that_exist():
    agent = plistlib.loads((ROOT / "deploy/launchd/call-monitor-live.plist").read_bytes())
    (arguments,) = shown(agent["ProgramArguments"][-1])
    parses(arguments)
    task = ET.parse(ROOT / "deploy/windows/call-monitor-live.xml")  # noqa: S314 - our own file
    (given,) = task.iter("{http://schemas.microsoft.com/windows/2004/02/mit/task}Arguments")
    parses(shlex.split(given.text or ""))


def test_the_container_and_compose_start_the_hub_alike():
    containerfile = text("deploy/Containerfile").replace("\\\n", " ")
    (cmd,) = re.findall(r"^CMD (\[.*\])$", containerfile, re.MULTILINE)
    parses(json.loads(cmd))
    (port,) = re.findall(r"^EXPOSE (\d+)$", containerfile, re.MULTILINE)
    hub = yaml.safe_load(text("deploy/compose.yaml"))["services"]["hub"]
    parses(hub["command"])
    image, compose = (vars(build_parser().parse_args(words)) for words in (json.loads(cmd), hub["command"]))
    for option in ("command", "listen", "db", "cert", "key", "secret_file"):
        assert image[option] == compose[option], option
    assert image["listen"].endswith(f":{port}")
    assert hub["ports"] == [f"{port}:{port}"]
    (health,) = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", containerfile, re.MULTILINE)
    assert hub["healthcheck"]["test"] == ["CMD", *json.loads(health)]
    mounted = {str(image[option]) for option in ("cert", "key", "secret_file")}
    assert mounted == {f"/run/secrets/{name}" for name in hub["secrets"]}


def test_the_container_copies_what_exists_and_what_the_wheel_needs():
    containerfile = text("deploy/Containerfile")
    copied = [
        name
        for line in re.findall(r"^COPY (?!--)(.+)$", containerfile, re.MULTILINE)
        for name in line.split()[:-1]
    ]
    for name in copied:
        assert list(ROOT.glob(name)), name
    wheel = tomllib.loads(text("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    brought = {path for name in copied for path in ROOT.glob(name)}
    for needed in [*wheel["force-include"], *wheel["packages"]]:
        assert brought & {ROOT / needed, *(ROOT / needed).parents}, needed


def supported() -> list[str]:
    """The minor versions in ``requires-python``, which is a closed range."""
    said = tomllib.loads(text("pyproject.toml"))["project"]["requires-python"]
    ((least, below),) = re.findall(r"^>=3\.(\d+),<3\.(\d+)$", said)
    return [f"3.{minor}" for minor in range(int(least), int(below))]


def test_the_workflow_runs_the_project_s_own_script_on_each_python():
    workflow = yaml.safe_load(text(".github/workflows/ci.yml"))
    assert workflow["permissions"] == {"contents": "read"}
    check = workflow["jobs"]["check"]
    assert check["strategy"]["matrix"]["python"] == supported()
    assert ".ci/run" in [step.get("run") for step in check["steps"]]
    assert (ROOT / ".ci" / "run").exists()
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/none@v0"))


def test_the_version_is_one():
    from monitor import __version__

    assert tomllib.loads(text("pyproject.toml"))["project"]["version"] == __version__


# --- the glossary ---

ENTRY = re.compile(r"^- \*\*(?P<word>.+?)\*\*: (?P<said>.+) \(`(?P<place>[\w./]+)`\)$")


def entries() -> list[tuple[str, str, str]]:
    lines = [line for line in text("docs/glossary.md").splitlines() if line.startswith("- ")]
    found = [ENTRY.match(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if not match]
    return [(match["word"], match["said"], match["place"]) for match in found if match]


def test_the_glossary_is_in_order_and_says_each_word_once():
    words = [word.lower() for word, _, _ in entries()]
    assert words == sorted(words)
    assert len(words) == len(set(words)) > 50


def test_the_glossary_points_to_rooms_that_exist():
    for word, _, place in entries():
        assert (ROOT / "monitor" / place).exists(), f"{word}: {place}"


def test_metrics_that_are_named_exist():
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "monitor").rglob("*.py"))
    named = set(re.findall(r"`(monitor_\w+)`", text("docs/operating.md")))
    assert named
    for name in named:
        assert name.removesuffix("_total") in sources, name
