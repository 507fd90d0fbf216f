"""Long work in native code: Ctrl-C is heard while it goes on, and the process can end in spite of it.

Python hears a signal between two of its own steps, and loading or asking a large model is one step. So
the work goes on in a thread of its own, and who waits for it waits in small steps. Who is interrupted
leaves the thread behind. An interpreter that is taken apart while a thread is still inside CTranslate2
crashes (a segmentation fault, seen on Linux), so ``monitor.__main__`` asks ``left_behind`` at its end.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

STEP = 0.1
"""Seconds until Ctrl-C is heard on a system where it does not interrupt a lock."""


class NativeThread(threading.Thread):
    """A thread that may still be inside a native library when the process ends."""

    def __init__(self, work: Callable[[], None], name: str) -> None:
        super().__init__(target=work, name=name, daemon=True)


def left_behind() -> bool:
    """Whether such a thread is still at work: then nothing may be taken apart any more."""
    return any(isinstance(thread, NativeThread) for thread in threading.enumerate())


def run_apart(work: Callable[[], T]) -> T:
    """What ``work`` returns, or raises; ``KeyboardInterrupt`` comes through while it is under way."""
    return _Outcome(work).wait()


class _Outcome(Generic[T]):
    """What becomes of ``work`` in a thread of its own."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._over = threading.Event()  # an interrupted join takes a thread for dead that is not (3.11)
        self._result: list[T] = []
        self._wrong: BaseException | None = None

    def _run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as wrong:  # noqa: BLE001 - whatever it is, it is for whoever waits
            self._wrong = wrong
        finally:
            self._over.set()

    def wait(self) -> T:
        NativeThread(self._run, "native work").start()
        while not self._over.wait(STEP):
            pass
        if self._wrong is not None:
            raise self._wrong
        return self._result[0]
