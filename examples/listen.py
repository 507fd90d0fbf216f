"""Prints the alerts of live calls and goes on where it was after a break. Needs: pip install websockets

python listen.py ws://127.0.0.1:8765 [TOKEN_FILE]
"""

import asyncio
import json
import sys
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException


async def listen(hub: str, token: str | None) -> None:
    """Listens for ever."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    since = ""
    while True:
        try:
            async with connect(f"{hub}/events?kind=alert,call{since}", additional_headers=headers) as lines:
                async for line in lines:
                    event = json.loads(line)
                    since = f"&since={int(event['sequence'])}"
                    if event["type"] == "monitor.alert.opened":
                        data = event["data"]
                        print(f"{event['partitionkey']}  {data['level']}  {data['summary']}", flush=True)
        except InvalidStatus as refused:
            if refused.response.status_code < 500:  # a token that is missing, wrong or over
                sys.exit(f"the hub refused: {refused.response.body.decode().strip()}")
            await asyncio.sleep(1)
        except (WebSocketException, OSError) as gone:
            print(f"the line broke ({gone}); coming back", file=sys.stderr)
            await asyncio.sleep(1)


if len(sys.argv) < 2:
    sys.exit(__doc__)
asyncio.run(listen(sys.argv[1], Path(sys.argv[2]).read_text().strip() if len(sys.argv) > 2 else None))
