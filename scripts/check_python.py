"""Checks the Python version and prints one sentence if it is not supported, before pip fails at length."""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    found = ".".join(map(str, sys.version_info[:3]))
    hint = "try `make PYTHON=python3.12 ...`"
    sys.exit(f"The call monitor needs Python 3.11 to 3.13, and this is {found}: {hint}.")
