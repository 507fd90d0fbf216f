"""Runs long work of native libraries so that Ctrl-C works meanwhile and the process can still end.

Python handles a signal between two of its own instructions, and loading or running a large model is one
instruction. So the work runs in a thread, and the caller waits in small steps. An interrupted caller leaves
the thread running. An interpreter that shuts down while a thread is inside CTranslate2 crashes (a
segmentation fault, seen on Linux), so ``monitor.__main__`` asks ``native_thread_running`` before it ends.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.1
"""Longest delay of Ctrl-C on a system where it does not interrupt a lock."""


class NativeThread(threading.Thread):
    """A thread that may still be inside a native library when the process ends."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        super().__init__(target=work, name=name, daemon=True)


def native_thread_running() -> bool:
    """Whether such a thread is running; then the interpreter must not shut down in the usual way."""
    return any(isinstance(thread, NativeThread) for thread in threading.enumerate())


def run_in_native_thread(work: Callable[[], T]) -> T:
    """Returns what ``work`` returns, or raises what it raises; ``KeyboardInterrupt`` gets through
    meanwhile.
    """
    return _Outcome(work).wait()


class _Outcome(Generic[T]):
    """The outcome of ``work`` in a thread of its own."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._done = threading.Event()  # an interrupted join takes a thread for dead that is not (3.11)
        self._result: list[T] = []
        self._error: BaseException | None = None

    def _run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as wrong:  # noqa: BLE001 - whatever it is, it is for whoever waits
            self._error = wrong
        finally:
            self._done.set()

    def wait(self) -> T:
        NativeThread(self._run, "native work").start()
        while not self._done.wait(POLL_SECONDS):
            pass
        if self._error is not None:
            raise self._error
        return self._result[0]
