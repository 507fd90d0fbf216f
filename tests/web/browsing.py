"""A visit to the page in a real browser, and what it complained about."""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PATIENCE_MS = 120_000
"""How long a condition may take on a busy machine."""

EXPECTED_WHILE_THE_HUB_IS_AWAY = ("ERR_CONNECTION_REFUSED", "WebSocket connection to")


class Visit:
    """One tab. ``options`` go to the browser (viewport, color_scheme, reduced_motion).

    ``away``: the hub will go away, and the browser may say so; ``twice``: each line of the hub arrives twice.
    """

    def __init__(
        self, browser: Any, url: str, *, away: bool = False, twice: bool = False, **options: Any
    ) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self._away = away
        self._host = urlsplit(url).netloc
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("websocket", lambda socket: self._asked(socket.url))
        if twice:
            self.page.route_web_socket("**/events*", _double)
        self.page.goto(url)

    def close(self) -> None:
        """Closes the tab."""
        self.context.close()

    def wait(self, condition: str, argument: Any = None) -> None:
        """Waits until a JavaScript condition holds."""
        self.page.wait_for_function(condition, arg=argument)

    def wait_text(self, selector: str, text: str) -> None:
        """Waits until an element shows a text."""
        self.wait("([s, t]) => [...document.querySelectorAll(s)].some(e => e.textContent.includes(t))",
                  [selector, text])  # fmt: skip

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements that match."""
        return [text.strip() for text in self.page.locator(selector).all_text_contents()]

    def wait_drawn(self, selector: str) -> None:
        """Waits until a canvas shows more than its ground: three colours at least."""
        self.wait(IS_DRAWN, selector)

    def axe(self) -> list[str]:
        """The serious and critical findings of axe-core, in short."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("rules => axe.run({runOnly: rules})", WCAG)
        return [
            f"{finding['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
            for finding in found["violations"] if finding["impact"] in ("serious", "critical")
            for node in finding["nodes"]
        ]  # fmt: skip

    def _heard(self, kind: str, text: str) -> None:
        if kind != "error" or (self._away and any(part in text for part in EXPECTED_WHILE_THE_HUB_IS_AWAY)):
            return
        self.complaints.append(text)

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self._host:
            self.strangers.append(url)


def _double(socket: Any) -> None:
    server = socket.connect_to_server()

    def pass_on(message: str | bytes) -> None:
        socket.send(message)
        socket.send(message)

    server.on_message(pass_on)


IS_DRAWN = """(selector) => {
  const canvas = document.querySelector(selector);
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let n = 0; n < data.length; n += 4) if (data[n + 3]) seen.add(`${data[n]},${data[n+1]},${data[n+2]}`);
  return seen.size > 2;
}"""
