"""A call monitor: listens to both sides of a phone call and helps the agent handle a difficult one.

The public interface (docs/api.md): ``replay`` and ``connect`` give events, ``Call`` is the core itself,
``RuleSet`` the rules in force, ``events`` everything that moves. Each is imported when it is first used, so
that ``import monitor`` costs nothing.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor import events
    from monitor.api import connect, replay
    from monitor.call import Call, CallInfo
    from monitor.errors import BadInput
    from monitor.rules.rule_set import RuleSet

__all__ = ["BadInput", "Call", "CallInfo", "RuleSet", "connect", "events", "replay"]

__version__ = "0.1.0"

# Nothing leaves this machine: from version 1.29 on onnxruntime sends its maker notes on every model that is
# loaded, and keeps a device's id at home for it, unless it is told not to before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_HOMES = {
    "BadInput": "monitor.errors",
    "Call": "monitor.call",
    "CallInfo": "monitor.call",
    "RuleSet": "monitor.rules.rule_set",
    "connect": "monitor.api",
    "events": "monitor.events",
    "replay": "monitor.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'monitor' has no attribute {name!r}")
    module = import_module(_HOMES[name])
    return module if name == "events" else getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
