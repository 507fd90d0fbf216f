"""A live monitor's line to its hub between calls: what the agent's softphone tells the hub arrives here."""

import asyncio
import random
from collections.abc import Callable

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from monitor.events import Hook, Reply
from monitor.sinks.follow import FIRST_PAUSE, LONGEST_PAUSE, POLICY_VIOLATION, REFUSED_FOR_GOOD
from monitor.sinks.hooks import Passed, Replied, Standing
from monitor.sinks.hub_address import HubAddress

_passed = msgspec.json.Decoder(Passed)
_encode = msgspec.json.Encoder().encode


async def stand_by(
    hub: HubAddress, whose: Standing, answer: Callable[[Hook], Reply], say: Callable[[str], None]
) -> None:
    """Answers hooks until it is cancelled, through every break of the line.

    Ends when the hub will not have this monitor, having said why; calls then begin by themselves only.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            async with hub.open("/standby") as connection:
                await connection.send(_encode(whose), text=True)
                pause = FIRST_PAUSE
                async for message in connection:
                    passed = _passed.decode(message)
                    reply = Replied(number=passed.number, reply=answer(passed.hook))
                    await connection.send(_encode(reply), text=True)
        except (OSError, WebSocketException, TimeoutError, msgspec.DecodeError) as wrong:
            if why := _for_good(wrong):
                say(f"A softphone's hooks cannot come over the hub: {why}")
                return
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
        pause = min(LONGEST_PAUSE, pause * 2)


def _for_good(wrong: Exception) -> str | None:
    """Why coming back would end the same way, if it would."""
    if isinstance(wrong, InvalidStatus) and wrong.response.status_code in REFUSED_FOR_GOOD:
        return (wrong.response.body or b"").decode(errors="replace").strip()[:200]
    if isinstance(wrong, ConnectionClosed) and wrong.rcvd and wrong.rcvd.code == POLICY_VIOLATION:
        return wrong.rcvd.reason
    return None
