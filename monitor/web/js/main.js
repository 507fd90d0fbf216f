// Connects the parts of the page: one stream for the list, one for the open call, at most five updates a second.

import { Announcer } from "./announce.js";
import { CallView } from "./call.js";
import { ListState, recall, token } from "./door.js";
import { Filters } from "./filters.js";
import * as route from "./route.js";
import { Rows } from "./rows.js";
import { emptyState, forget, KINDS, openAlerts, take } from "./state.js";
import { Stream } from "./stream.js";
import { onTheme } from "./theme.js";

const FRAME_MS = 200;
/** Interval between updates of the totals in the header. */
const COUNT_MS = 600;
/** Past events that a newly opened page requests for its bands: about a minute of all calls. */
const LOOK_BACK = 5000;
const LOOK_BACK_PER_CALL = 60;
/** Display time of a notice, long enough to read it twice. */
const NOTICE_MS = 15_000;
const byId = (id) => document.getElementById(id);
const now = () => performance.now();

recall();
let state = emptyState();
let connection = { state: "connecting", detail: {} };
let dirty = new Set();
let again = true;
let view = null;
let role = route.filter().role;

const rows = new Rows(byId("rows"));
const announcer = new Announcer(byId("news"), byId("sound"));
const filters = new Filters(byId("filters"), byId("clear"), refilter);
const listState = new ListState(byId("state"), { onclear: () => (filters.reset(), refilter()), ontoken: () => enter() });
let stream = null;
let earlier = null;
let counted = -Infinity;

function enter() {
  stream?.close();
  state = emptyState();
  again = true;
  stream = new Stream({ query: { ...eyes(), kind: KINDS.join(",") }, token, online, onstate: showConnection, onafresh: beginAnew });
  stream.open();
  showCall(true);
}

const eyes = () => (role ? { role } : {});

/** Requests recent speech segments and raised voices, so that the bands of open calls are not empty at first. */
function lookBack({ sequence, log, calls }) {
  const most = Math.max(LOOK_BACK, LOOK_BACK_PER_CALL * calls.length);
  earlier?.close();
  earlier = new Stream({
    query: { ...eyes(), kind: "speech,raised_voice" }, since: Math.max(0, sequence - most), log, token,
    online: (line) => line.type !== "monitor.snapshot" && Number(line.sequence) <= sequence && state.calls.has(line.partitionkey) && take(state, line, now()),
    onstate: (name) => name !== "catching" && earlier.close(),
  });
  earlier.open();
}

function online(line) {
  if (line.type === "monitor.snapshot") {
    view?.stream.knows(line.data.log || null);
    if (line.data.calls.length) lookBack(line.data);
  }
  const news = [];
  const id = take(state, line, now(), news);
  if (id) dirty.add(id);
  else again = true;
  if (connection.state === "live") announcer.tell(news);
}

/** The hub cannot resume this page's stream: shows the current state and a notice. */
function beginAnew(log) {
  tellNotice("The hub has begun anew, or no longer keeps what was missed here. The page shows what it knows now.");
  view?.beginAnew(log);
}

let noticeEnds = null;

function tellNotice(text) {
  byId("notice").textContent = text;
  clearTimeout(noticeEnds);
  noticeEnds = setTimeout(() => (byId("notice").textContent = ""), NOTICE_MS);
}

/** Shows the connection's state; announced once to screen readers, with the countdown for display only. */
const SPOKEN = {
  live: "Live", catching: "Catching up", waiting: "The line to the hub is lost. Reconnecting.", refused: "Not let in",
};

function showConnection(name, detail) {
  connection = { state: name, detail };
  const texts = {
    connecting: "connecting", live: "live", refused: "not let in",
    catching: detail.lines ? `catching up, ${detail.lines} events` : "catching up",
    waiting: `reconnecting in ${detail.seconds} s`,
  };
  const box = byId("connection");
  if (box.dataset.state !== name) byId("line").textContent = SPOKEN[name] ?? "";
  box.dataset.state = name;
  document.body.dataset.line = name;
  const text = box.querySelector(".text");
  if (text.textContent !== texts[name]) text.textContent = texts[name];
  again = true;
  if (name === "refused" && view) showCall(true);
}

function refilter() {
  again = true;
  if (route.filter().role === role) return;
  role = route.filter().role;
  enter();
}

function showCall(afresh = false) {
  const id = route.openCall();
  if (view && (afresh || view.id !== id)) {
    view.close();
    view = null;
  }
  if (id && !view && connection.state !== "refused") {
    view = new CallView(byId("call"), id, { token, query: eyes(), onclose: closeCall });
    view.stream.knows(stream?.log ?? null);
  }
  byId("main").classList.toggle("split", Boolean(view));
  again = true;
}

function closeCall() {
  const id = view?.id;
  history.pushState(null, "", route.linkTo(null));
  showCall();
  render(now());
  rows.focus(id);
}

function render(at) {
  if (forget(state, at, view?.id)) again = true;
  const filter = route.filter();
  const shown = rows.render(state, at, { filter, open: view?.id ?? null, dirty, again });
  if (again || at - counted > COUNT_MS) {
    counted = at;
    filters.offer(state);
    writeCounts();
  }
  dirty = new Set();
  again = false;
  byId("table").hidden = !shown;
  listState.show(emptyReason(shown), connection.detail.reason);
  view?.render(state.calls.get(view.id), at);
}

function emptyReason(shown) {
  if (connection.state === "refused") return "refused";
  if (shown) return "none";
  if (state.calls.size) return "filtered";
  return { live: "empty", catching: "empty", waiting: "waiting" }[connection.state] ?? "connecting";
}

function writeCounts() {
  const open = [...state.calls.values()].filter((call) => call.ended === null);
  const needing = open.filter((call) => openAlerts(call, { level: "warn" }).length).length;
  const text = connection.state === "refused" ? "" : `${open.length} ${open.length === 1 ? "call" : "calls"}${needing ? `, ${needing} with a warning` : ""}`;
  const box = byId("counts");
  if (box.textContent !== text) box.textContent = text;
  const title = needing ? `(${needing}) Live calls` : "Live calls";
  if (document.title !== title) document.title = title;
}

let drawn = -Infinity;
function frame(at) {
  requestAnimationFrame(frame);
  if (at - drawn < FRAME_MS) return;
  drawn = at;
  render(at);
}

addEventListener("hashchange", () => {
  filters.show();
  refilter();
  showCall();
});
addEventListener("popstate", () => showCall());
addEventListener("online", () => stream.hurry());
document.addEventListener("visibilitychange", () => document.hidden || stream.hurry());
document.addEventListener("keydown", (event) => {
  // A key does not discard a half-written message.
  const draft = event.target.tagName === "INPUT" && event.target.value;
  if (event.key === "Escape" && view && !draft) closeCall();
});
byId("more").addEventListener("click", ({ target }) => {
  target.setAttribute("aria-expanded", String(target.getAttribute("aria-expanded") !== "true"));
});
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  if (byId("table").hidden) byId("calls").focus();
  else rows.focus(null);
});
onTheme(() => (again = true));

enter();
requestAnimationFrame(frame);
