"""Prints the alerts of live calls: python examples/live_alerts.py [ws://127.0.0.1:8765]"""

import asyncio
import sys

import monitor


async def main() -> None:
    """Follows the hub until Ctrl-C."""
    async with monitor.connect(*sys.argv[1:2], kinds=["alert"]) as stream:
        async for item in stream:
            if isinstance(item.event, monitor.events.AlertOpened):
                print(f"{item.call}  {item.event.level}  {item.event.message}", flush=True)


asyncio.run(main())
