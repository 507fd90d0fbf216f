"""The hub's one port: files, questions of operators, certificates, addresses."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from monitor.errors import BadInput
from monitor.hub.access import mint
from monitor.hub.log import EventLog
from monitor.hub.server import HubServer, listening
from monitor.wire.addresses import Address, parse_address
from tests.hub.hubs import SECRET, a_hub, alert, arrivals, ask, level, lines, next_line, started


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_hub_in_health_says_ok(path: str):
    async with a_hub() as place:
        status, _, body = await ask(place, path)
        assert (status, body) == (200, "ok\n")


async def test_a_hub_that_cannot_keep_events_is_alive_but_not_ready():
    async with a_hub() as place:
        place.hub.log._db.execute("PRAGMA query_only=ON")
        assert (await ask(place, "/healthz"))[0] == 200
        status, _, body = await ask(place, "/readyz")
        assert status == 503
        assert "cannot be written" in body
        async with place.publisher() as monitor:
            await monitor.send('{"call": "c1"}')
            await monitor.wait_closed()
            assert monitor.close_code == 1011
            assert "cannot keep events" in (monitor.close_reason or "")


async def test_metrics_count_what_happens_and_hold_nothing_that_was_said():
    async with a_hub() as place, place.listener() as listener:
        await next_line(listener)
        events = [started("c1", "anna"), alert(1, summary="she said: card number 4711"), level(1.0)]
        place.hub.publish("c1", arrivals("c1", events))
        await next_line(listener)
        await next_line(listener)
        status, headers, body = await ask(place, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "monitor_listeners 1" in body
    assert "monitor_calls_open 1" in body
    assert 'monitor_alerts_total{level="warn",rule="interrupt.agent"} 1' in body
    assert 'monitor_events_total{kind="prosody"} 1' in body
    assert 'monitor_stage_seconds_bucket{le="+Inf",stage="log"} 1' in body
    assert "monitor_sequence 2" in body
    for said in ("4711", "anna", "c1"):
        assert said not in body
    for line in body.splitlines():
        assert line.startswith("#") or len(line.rsplit(" ", 1)) == 2
        if line.startswith("# TYPE"):
            assert line.split()[3] in ("counter", "gauge", "histogram")


async def test_the_page_is_served_with_headers_that_keep_it_to_itself(tmp_path: Path):
    (tmp_path / "index.html").write_text("<!doctype html><title>calls</title>")
    (tmp_path / "page.js").write_text("export {}")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    async with a_hub(web=tmp_path) as place:
        status, headers, body = await ask(place, "/")
        assert (status, body) == (200, "<!doctype html><title>calls</title>")
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        status, headers, _ = await ask(place, "/page.js")
        assert status == 200
        assert "javascript" in headers["Content-Type"]
        assert (await ask(place, "/favicon.ico"))[2] == "<svg/>"
        assert (await ask(place, "/nothing.css"))[0] == 404


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:8765", "127.0.0.1", 8765, True),
        (":9000", "127.0.0.1", 9000, True),
        ("localhost", "localhost", 8765, True),
        ("[::1]:8765", "::1", 8765, True),
        ("0.0.0.0:80", "0.0.0.0", 80, False),  # noqa: S104 - only parsed
        ("hub.example:443", "hub.example", 443, False),
    ],
)
def test_addresses(text: str, host: str, port: int, loopback: bool):
    address = parse_address(text)
    assert (address.host, address.port, address.loopback) == (host, port, loopback)


@pytest.mark.parametrize("text", ["127.0.0.1:http", "127.0.0.1:70000", "127.0.0.1:-1", "host:"])
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(BadInput, match="HOST:PORT"):
        parse_address(text)


async def test_a_port_that_is_taken_is_one_clear_sentence():
    async with a_hub() as place:
        door = HubServer(address=Address("127.0.0.1", place.address.port))
        with pytest.raises(BadInput, match="cannot listen"):
            async with listening(place.hub, door):
                pytest.fail("two hubs on one port")


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert, secret = folder / "hub.pem", folder / "hub.key"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))  # fmt: skip
    return cert, secret


async def test_off_loopback_the_line_is_encrypted_and_tokens_are_wanted(tmp_path: Path):
    cert, key = certificate(tmp_path)
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    server.load_cert_chain(cert, key)
    client.load_verify_locations(cert)
    anywhere = Address("0.0.0.0", 0)  # noqa: S104 - with TLS and tokens this is what a hub is for
    async with a_hub(secret=SECRET, tls=server, address=anywhere) as place:
        place.tls = client
        token = mint(SECRET, role="supervisor", agent=None, teams=("*",), seconds=60)
        headers = {"Authorization": f"Bearer {token}"}
        async with place.listener(additional_headers=headers) as listener:
            await next_line(listener)
            place.hub.publish("c1", arrivals("c1", [started("c1"), alert(1)]))
            assert (await next_line(listener))["type"] == "monitor.call.started"
        with pytest.raises((InvalidMessage, ConnectionError)):
            await connect(
                f"ws://127.0.0.1:{place.address.port}/events", additional_headers=headers, proxy=None
            )


async def test_the_operator_is_told_that_the_log_has_no_room(tmp_path: Path):
    said: list[str] = []
    log = EventLog(tmp_path / "hub.db")
    async with a_hub(log, tell=said.append) as place:
        log._db.execute("PRAGMA max_page_count=1")
        for _ in range(2):
            async with place.publisher() as monitor:
                await monitor.send('{"call": "c1"}')
                await monitor.recv()
                await monitor.send(lines("c1", [started("c1"), alert(1, summary="what was said " * 9999)]))
                with pytest.raises(ConnectionClosed):
                    await monitor.recv()
        assert (await ask(place, "/readyz"))[0] == 503
    assert len(said) == 1
    assert "database or disk is full" in said[0]
    assert "what was said" not in said[0]
