import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from monitor.speech.native_thread import native_thread_running, run_in_native_thread

PATIENCE = 30.0


def test_the_result_and_the_error_of_the_work_are_those_of_the_caller():
    assert run_in_native_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        run_in_native_thread(lambda: 1 / 0)


def test_ctrl_c_is_heard_while_the_work_goes_on_and_the_work_is_left_behind():
    begun, go = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go.wait(PATIENCE)

    def press() -> None:
        begun.wait(PATIENCE)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    pressing = threading.Thread(target=press)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        run_in_native_thread(work)
    pressing.join()
    assert native_thread_running()
    go.set()
    for thread in threading.enumerate():
        if thread.name == "native work":
            thread.join(PATIENCE)
    assert not native_thread_running()


INSIDE = """
import sys, threading
from monitor.__main__ import main
from monitor.speech.native_thread import NativeThread
from monitor.speech.model_store import bundled_folder
from monitor.speech.whisper import Whisper
whisper, begun = Whisper(bundled_folder(), "bundled"), threading.Event()
def decode():
    while True:
        whisper.warm_up()
        begun.set()
NativeThread(decode, "recogniser").start()
begun.wait()
sys.argv = ["monitor", "models"]
sys.exit(main())
"""


def test_a_process_ends_cleanly_while_a_thread_is_inside_the_model(project: Path):
    """Taken apart as usual, the interpreter would crash here (or wait for the model)."""
    ended = subprocess.run(
        [sys.executable, "-c", INSIDE], capture_output=True, cwd=project, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert b"bundled" in ended.stdout
