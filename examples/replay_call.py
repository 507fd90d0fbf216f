"""Prints the alerts of a recorded call: python examples/replay_call.py call.wav [MODEL]"""

import sys

import monitor

for event in monitor.replay(sys.argv[1], model=sys.argv[2] if len(sys.argv) > 2 else None):
    if isinstance(event, monitor.events.AlertOpened):
        print(f"{event.at:6.1f} s  {event.level:8}  {event.rule}: {event.message}")
