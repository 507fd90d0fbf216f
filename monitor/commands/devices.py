"""``monitor devices``: audio devices and defaults."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.sources.device import Device

EPILOG = """\
examples:
  monitor devices
  monitor devices --json
  monitor live --mic "USB Headset" --speaker alsa_output.usb-headset.monitor"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "devices",
        help="List audio devices and defaults",
        description="Lists microphones (the agent) and loopbacks (the caller), marks the defaults, and says "
        "what to do if one is missing.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a device, nothing else")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Lists the devices; the exit code."""
    import json
    import sys
    from dataclasses import asdict

    from monitor.errors import BadInput
    from monitor.sources.device import advice, devices

    found = devices()
    if args.json:
        for device in found:
            sys.stdout.write(json.dumps(asdict(device)) + "\n")
        return 0
    if not found:
        raise BadInput(f"No audio devices were found: neither a microphone nor a loopback. {advice()}")
    for title, kind in (("Microphones (the agent)", "microphone"), ("Loopbacks (the caller)", "loopback")):
        sys.stdout.write(f"{title}\n")
        lines = [_line(device) for device in found if device.kind == kind]
        sys.stdout.write("".join(lines or ["    none\n"]))
    sys.stdout.write(f"* used when none is named. {advice()}\n")
    return 0


def _line(device: "Device") -> str:
    mark = "*" if device.default else " "
    return f"  {mark} {device.name}   {device.channels} ch, {device.rate} Hz, {device.host}\n"
