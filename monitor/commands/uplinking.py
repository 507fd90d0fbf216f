"""``--uplink``: a call's way to a hub, from the words of a command; recordings and live calls share it."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.client.address import HubAddress
    from monitor.client.uplink import Uplink


def add_uplink(parser: argparse.ArgumentParser) -> None:
    """The options that say which hub gets the call, and whose call it is."""
    parser.add_argument(
        "--uplink", metavar="URL", help="send the call to a hub, for example ws://127.0.0.1:8765"
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="the token for that hub (or set MONITOR_TOKEN)"
    )
    parser.add_argument("--agent", metavar="NAME", help="whose call it is")
    parser.add_argument("--team", metavar="NAME", help="the team whose supervisors may listen")


def hub_of(url: str, token_file: Path | None) -> "HubAddress":
    """The hub at ``url``, which is shown the token. Raises ``BadInput``."""
    from monitor.client.address import parse_hub
    from monitor.client.credentials import read_token

    return parse_hub(url, lambda: read_token(token_file))


def open_uplink(
    url: str,
    token_file: Path | None,
    *,
    call: str,
    agent: str | None,
    team: str | None,
    patience: float | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> "Uplink":
    """A sink that sends ``call`` to the hub at ``url``. Raises ``BadInput``.

    ``patience``: seconds that the end of the call waits for a hub that does not answer. ``tell`` is given
    why the hub will never take this call, where that is so.
    """
    from monitor.client.uplink import PATIENCE, Uplink
    from monitor.wire.messages import Claimed

    hub = hub_of(url, token_file)
    claimed = Claimed(call=call, agent=agent, team=team)
    return Uplink(
        hub, claimed, waiting_folder(), patience=PATIENCE if patience is None else patience, tell=tell
    )


def waiting_folder() -> Path:
    """Where lines wait for their hub."""
    import platformdirs

    return Path(platformdirs.user_data_dir("call-monitor")) / "uplink"


def tell_what_waits(uplink: "Uplink") -> None:
    """After the call: says what has not reached the hub, and that it is not lost."""
    if uplink.left:
        why = f" ({uplink.trouble})" if uplink.trouble else ""
        sys.stderr.write(
            f"monitor: {uplink.left} lines of this call have not reached the hub{why}; they wait in "
            f"{uplink.folder} and are sent with the next call.\n"
        )
