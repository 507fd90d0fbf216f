"""``monitor hub`` as an operator starts it: one line when it listens, a clean end, one sentence when not."""

import asyncio
import signal
import ssl
import stat
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from monitor.commands.hub import HubOptions
from monitor.hub.log import EventLog
from tests.hub.hubs import SOON, alert, arrivals, ended, lines, next_line, publish, started
from tests.hub.test_server import certificate

HUB = (sys.executable, "-m", "monitor", "hub")


async def hub(*words: str | Path, **environment: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *HUB, *map(str, words), stdout=PIPE, stderr=PIPE, env=environment or None
    )


async def url_of(running: Process) -> str:
    """The address that the hub says it listens at."""
    assert running.stderr
    said = (await asyncio.wait_for(running.stderr.readline(), SOON)).decode()
    assert said.startswith("The hub listens at ws://"), said
    return said.split()[4].removesuffix("/events,")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
async def test_it_listens_keeps_what_comes_and_ends_cleanly(number: int, code: int, tmp_path: Path):
    db = tmp_path / "deep" / "hub.db"
    running = await hub("--listen", "127.0.0.1:0", "--db", db)
    url = await url_of(running)
    async with (
        connect(f"{url}/events", proxy=None) as listener,
        connect(f"{url}/publish", proxy=None) as monitor,
    ):
        await next_line(listener)
        await publish(monitor, "c1")
        await monitor.send(lines("c1", [started("c1"), alert(1)]))
        assert (await next_line(listener))["type"] == "monitor.call.started"
        assert (await next_line(monitor))["ack"] == 2
        running.send_signal(number)
        out, err = await asyncio.wait_for(running.communicate(), SOON)
        await listener.wait_closed()
        assert listener.close_code == 1001
    assert (running.returncode, out, err) == (code, b"", b"")
    assert stat.S_IMODE(db.stat().st_mode) == 0o600
    assert EventLog(db).last_of("c1") == 2


async def test_without_a_path_the_log_lies_in_the_data_folder_of_its_user(tmp_path: Path):
    running = await hub("--listen", "127.0.0.1:0", XDG_DATA_HOME=str(tmp_path), HOME=str(tmp_path))
    await url_of(running)
    running.terminate()
    assert await asyncio.wait_for(running.wait(), SOON) == 0
    assert len(list(tmp_path.rglob("hub.db"))) == 1  # noqa: ASYNC240 - a test may look into its folder


def shown_at(url: str) -> bytes:
    """The certificate that a new connection is shown (DER)."""
    where = urlsplit(url)
    pem = ssl.get_server_certificate((where.hostname or "", where.port or 0), timeout=SOON)
    return ssl.PEM_cert_to_DER_cert(pem)


def der(cert: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(cert.read_text())


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
async def test_sighup_reads_a_renewed_certificate_and_keeps_the_one_in_use_if_it_is_none(tmp_path: Path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    cert, key = certificate(tmp_path / "old")
    renewed_cert, renewed_key = certificate(tmp_path / "new")
    before, renewed = der(cert), der(renewed_cert)
    assert before != renewed
    running = await hub("--listen", "127.0.0.1:0", "--db", tmp_path / "hub.db", "--cert", cert, "--key", key)
    assert running.stderr
    url = (await asyncio.wait_for(running.stderr.readline(), SOON)).decode().split()[4]
    trusting = ssl.create_default_context(cafile=str(cert))
    async with connect(url.removesuffix(","), ssl=trusting, proxy=None) as listener:
        await next_line(listener)
        assert await asyncio.to_thread(shown_at, url) == before
        cert.write_bytes(renewed_cert.read_bytes())
        running.send_signal(signal.SIGHUP)  # the key is still the old one
        told = (await asyncio.wait_for(running.stderr.readline(), SOON)).decode()
        assert "do not belong together" in told
        assert told.endswith("The certificate from before stays in use.\n")
        assert await asyncio.to_thread(shown_at, url) == before
        key.write_bytes(renewed_key.read_bytes())
        running.send_signal(signal.SIGHUP)
        told = (await asyncio.wait_for(running.stderr.readline(), SOON)).decode()
        assert told == f"The certificate {cert} was read again; new connections use it.\n"
        assert await asyncio.to_thread(shown_at, url) == renewed
        await (await listener.ping())  # the connection from before goes on
    running.terminate()
    out, err = await asyncio.wait_for(running.communicate(), SOON)
    assert (running.returncode, out, err) == (0, b"", b"")


REFUSED = {
    "another address without TLS": (["--listen", "0.0.0.0:0"], "--cert"),
    "no address": (["--listen", "here:there"], "HOST:PORT"),
    "a certificate without its key": (["--cert", "hub.pem"], "TLS needs both"),
    "a certificate that is not there": (["--cert", "hub.pem", "--key", "hub.key"], "cannot be used"),
    "a secret that is not there": (["--secret-file", "nothing"], "cannot be read"),
    "a secret that others can read": (["--secret-file", "open"], "chmod 600"),
    "a secret that is short": (["--secret-file", "short"], "shorter than 32"),
    "a log that is none": (["--db", "open"], "event log"),
    "nothing to keep": (["--keep-days", "0"], "keeps nothing"),
    "not a number to keep": (["--keep-mb", "nan"], "keeps nothing"),
    "an erasure without a log": (["--db", "none.db", "--erase", "c1"], "no event log"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
async def test_what_cannot_be_is_one_sentence_and_code_2(case: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    words, reason = REFUSED[case]
    running = await hub(*words)
    out, err = await asyncio.wait_for(running.communicate(), SOON)
    assert (running.returncode, out) == (2, b"")
    said = err.decode()
    assert said.startswith("monitor: ")
    assert said.count("\n") == 1
    assert reason in said


def prepare(folder: Path) -> None:
    (folder / "open").write_text("s" * 40)
    (folder / "open").chmod(0o644)
    (folder / "short").write_text("swordfish")
    (folder / "short").chmod(0o600)


async def test_a_call_is_erased_while_the_hub_goes_on(tmp_path: Path):
    db = tmp_path / "hub.db"
    log = EventLog(db)
    log.append("c1", arrivals("c1", [started("c1"), alert(1, summary="between the two of us"), ended()]))
    log.close()
    running = await hub("--listen", "127.0.0.1:0", "--db", db)
    url = await url_of(running)
    erasing = await hub("--db", db, "--erase", "c1")
    out, _ = await asyncio.wait_for(erasing.communicate(), SOON)
    assert (erasing.returncode, out) == (0, b"3 events of c1 are erased.\n")
    async with connect(f"{url}/publish", proxy=None) as monitor:
        await publish(monitor, "c2")
        await monitor.send(lines("c2", [started("c2")]))
        assert (await next_line(monitor))["ack"] == 1
    running.terminate()
    await asyncio.wait_for(running.wait(), SOON)
    log = EventLog(db)
    assert [call for _, call, _ in log.since(0)] == ["c2"]
    again = await hub("--db", db, "--erase", "never was")
    assert await asyncio.wait_for(again.wait(), SOON) == 2


async def test_two_hubs_do_not_write_to_one_log(tmp_path: Path):
    """Each would give the same sequence to another event, and one would refuse its publishers for ever."""
    db = tmp_path / "hub.db"
    first = await hub("--listen", "127.0.0.1:0", "--db", db)
    await url_of(first)
    second = await hub("--listen", "127.0.0.1:0", "--db", db)
    out, err = await asyncio.wait_for(second.communicate(), SOON)
    assert (second.returncode, out) == (2, b"")
    assert b"Another hub writes to the event log" in err
    first.kill()
    await first.wait()
    third = await hub("--listen", "127.0.0.1:0", "--db", db)
    await url_of(third)
    third.terminate()
    assert await asyncio.wait_for(third.wait(), SOON) == 0


def test_by_default_the_size_that_is_kept_fits_the_days_that_are_kept():
    """For 50 agents who talk five hours a day, at the measured 3 MB an hour."""
    options = HubOptions(listen="127.0.0.1:0")
    assert options.keep_mb >= 0.98 * 50 * 5 * 3 * options.keep_days


async def test_a_certificate_that_is_none_is_one_plain_sentence(tmp_path: Path):
    (tmp_path / "x.pem").write_text("no certificate")
    running = await hub("--cert", tmp_path / "x.pem", "--key", tmp_path / "x.pem")
    _, err = await asyncio.wait_for(running.communicate(), SOON)
    assert running.returncode == 2
    assert b"are not PEM" in err
    assert b"_ssl" not in err
