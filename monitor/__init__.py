"""A call monitor: listens to both sides of a phone call and helps the agent handle a difficult one."""

import os

__version__ = "0.1.0"

# Nothing leaves this machine: from version 1.29 on onnxruntime sends its maker notes on every model that is
# loaded, and keeps a device's id at home for it, unless it is told not to before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
