"""``monitor live --check``: five seconds of both sides, drawn as meters, and what is wrong with them."""

import asyncio
from typing import TYPE_CHECKING

from monitor.commands.living import Living, choose_lanes
from monitor.sources.capture import Capture
from monitor.sources.device import refresh

if TYPE_CHECKING:
    from monitor.sources.soundcheck import SoundCheck


def check(living: Living) -> int:
    """The five-second sound check; exit code 1 when something is wrong."""
    return asyncio.run(_check(living))


async def _check(living: Living) -> int:
    from rich.console import Console
    from rich.live import Live as Screen

    from monitor.sources.soundcheck import CHECK_SECONDS, SoundCheck

    capture = Capture(choose_lanes(living), refresh)
    checking = SoundCheck(capture.rate)
    console = Console()
    console.print("Say something while the softphone plays something (a test call, for example).")
    try:
        await capture.start()
        with Screen(console=console, refresh_per_second=12) as screen:
            while checking.heard < CHECK_SECONDS:
                checking.feed(await capture.next())
                screen.update(_meters(checking))
        if not console.is_terminal:
            console.print()  # a pipe gets the last meters without the end of their line
    finally:
        capture.close()
    findings = checking.findings()
    for sentence in findings:
        console.print(f"- {sentence}", highlight=False, soft_wrap=not console.is_terminal)
    if not findings:
        console.print("Both sides are fine.")
    return 1 if findings else 0


def _meters(checking: "SoundCheck") -> str:
    from monitor.sinks.console import meter

    return "\n".join(
        f"{channel:<7}{meter(side.level_dbfs)} {side.level_dbfs:6.1f} dBFS"
        for channel, side in checking.sides.items()
    )
