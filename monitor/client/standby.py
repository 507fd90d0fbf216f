"""A live monitor's line to its hub between calls: what the agent's softphone tells the hub arrives here.

It stands all day, so it is also what tells the agent whether the hub is there.
"""

import asyncio
import random
from collections.abc import Callable

import msgspec
from websockets.exceptions import ConnectionClosed, WebSocketException

from monitor.client.address import HubAddress, is_refused, why_no_line
from monitor.client.follower import FIRST_PAUSE, LONGEST_PAUSE
from monitor.errors import BadInput
from monitor.events import CallControl, CallControlAnswer
from monitor.wire.messages import Passed, Replied, Standing

STEADY = 1.0
"""Seconds after which a hub that has not ended the line will have this monitor."""

Tell = Callable[[str | None], None]
"""Takes why the line does not stand, or None when it stands; called again only when that has changed."""

_passed = msgspec.json.Decoder(Passed)
_encode = msgspec.json.Encoder().encode


async def stand_by(
    hub: HubAddress, whose: Standing, answer: Callable[[CallControl], CallControlAnswer], tell: Tell
) -> None:
    """Answers hooks until it is cancelled, through every break of the line.

    A hub that will not have this monitor is asked again as well, though less often: a token that has expired
    is renewed by writing a new one into its file.
    """
    pause, told = FIRST_PAUSE, _Once(tell)
    while True:
        try:
            await _stand(hub, whose, answer, told)
            pause = FIRST_PAUSE
        except (OSError, WebSocketException, TimeoutError, msgspec.DecodeError, BadInput) as wrong:
            if _broke(wrong):
                pause = FIRST_PAUSE  # whether that means anything, the next attempt tells
            else:
                told(str(wrong).rstrip(".") if isinstance(wrong, BadInput) else why_no_line(wrong))
            if is_refused(wrong):
                pause = LONGEST_PAUSE
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
        pause = min(LONGEST_PAUSE, pause * 2)


class _Once:
    """Tells each thing once, until the line stands again; and that it stands, once."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told: set[str] = set()
        self._stands = False

    def __call__(self, news: str | None) -> None:
        if (news is None and not self._stands) or (news is not None and news not in self._told):
            self._tell(news)
        self._stands = news is None
        self._told = self._told | {news} if news is not None else set()


async def _stand(
    hub: HubAddress, whose: Standing, answer: Callable[[CallControl], CallControlAnswer], told: Tell
) -> None:
    """One line, until it ends."""
    async with hub.open("/standby") as connection:
        await connection.send(_encode(whose), text=True)
        steady = asyncio.get_running_loop().call_later(STEADY, told, None)
        try:
            async for message in connection:
                passed = _passed.decode(message)
                reply = Replied(number=passed.number, reply=answer(passed.hook))
                await connection.send(_encode(reply), text=True)
        finally:
            steady.cancel()


def _broke(wrong: Exception) -> bool:
    """Whether a line that stood just ended, without a reason."""
    return isinstance(wrong, ConnectionClosed) and not (wrong.rcvd and wrong.rcvd.reason)
