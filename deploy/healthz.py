"""Asks a hub on this machine whether it is alive: exit code 0 or 1. The container's health check.

Usage: python3 healthz.py https://127.0.0.1:8765/healthz
"""

import ssl
import sys
import urllib.error
import urllib.request

TIMEOUT = 3.0
"""Seconds."""


def main(url: str) -> int:
    """0 where ``url`` answers 200."""
    # The certificate names the hub's public name, and this asks for 127.0.0.1: nothing secret is sent.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT, context=context) as answer:  # noqa: S310 - from the image
            return 0 if answer.status == 200 else 1
    except (OSError, urllib.error.URLError) as wrong:
        sys.stderr.write(f"{url} does not answer: {wrong}\n")
        return 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say which address: healthz.py https://127.0.0.1:8765/healthz")
    sys.exit(main(sys.argv[1]))
