"""What goes wrong, as one clear sentence for the person at the keyboard."""


class BadInput(Exception):
    """The input or the words of a command were wrong.

    The message is one sentence: what was wrong, where (file, key path, device), what to do.
    It never holds anything that was said on a call. Commands print it and exit with code 2.
    """


class CheckFailed(Exception):
    """A check found something (rules check, backtest against a bar). Commands exit with code 1."""
