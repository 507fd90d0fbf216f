"""Makes docs/pictures/terminal.svg: the terminal output of `monitor demo`.

    python scripts/terminal_picture.py

It shows half a minute of the bundled difficult call, with the words of its script, in the terminal view that
every command uses.
"""

import argparse
import io
import re
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from monitor.session import replay_events  # noqa: E402 - the checkout goes first on the path
from monitor.sinks import Line  # noqa: E402
from monitor.sinks.console import ConsoleSink  # noqa: E402

CALL = ROOT / "fixtures" / "audio" / "difficult-call.flac"
PICTURE = ROOT / "docs" / "pictures" / "terminal.svg"
SHOWN = (27.0, 53.5)
"""Seconds of the call that the picture shows."""

FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""Without fonts from another host: the reader's own monospaced one will do."""


def main() -> int:
    """Makes the picture."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    console = Console(
        width=92, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    sink = ConsoleSink(console)
    sink.close()  # no moving lines in a picture
    cleared = False
    for number, event in enumerate(replay_events([CALL], model="script"), 1):
        if event.detected_at > SHOWN[1]:
            break
        if event.detected_at >= SHOWN[0] and not cleared:
            console.export_text(clear=True)
            cleared = True
        sink.take([Line("difficult-call", number, event, None)])
    PICTURE.write_text(console.export_svg(title="monitor demo", code_format=FORMAT), encoding="utf-8")
    sys.stdout.write(f"{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
