"""Comparing documents that are made from docstrings."""

import re


def flush(document: str) -> str:
    """JSON without the indentation of docstrings, which Python 3.13 takes off."""
    return re.sub(r"\\n +", r"\\n", document)
