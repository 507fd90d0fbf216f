// A websocket to the hub that reconnects automatically. It resumes after the last sequence received from the
// hub's log, and ignores duplicates. If the hub cannot resume (it has a new log, or has deleted the events), it
// sends a snapshot instead, and `onafresh` is called first.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const QUIET_MS = 400;
const REMEMBERED = 5000;
const POLICY_VIOLATION = 1008;

/** Ephemeral kinds: when one arrives, all missed events have been sent. */
const ONLY_LIVE = new Set(["monitor.prosody", "monitor.overlap.started"]);

/**
 * States, passed to `onstate`: connecting, catching (with the number of events), live, waiting (with the
 * seconds left), refused (with a reason; `retry()` or `open(token)` tries again).
 */
export class Stream {
  #socket = null;
  #since;
  #log;
  #seen = new Set();
  #failures = 0;
  #timer = null;
  #quiet = null;
  #caught = 0;
  #closed = false;
  state = "connecting";

  constructor({ query = {}, since = null, log = null, token = () => null, online, onstate = () => {}, onafresh = () => {} }) {
    Object.assign(this, { query, token, online, onstate, onafresh });
    this.#since = since;
    this.#log = log;
  }

  /** The id of the hub's log, known after a snapshot. */
  get log() {
    return this.#log;
  }

  /** Sets the log in which this stream's sequence is valid, as received by another stream. */
  knows(log) {
    this.#log ??= log;
  }

  /** Restarts after a sequence of a log, as if nothing had been received. */
  restart(since, log) {
    this.#since = since;
    this.#log = log;
    this.#seen.clear();
    this.open();
  }

  /** Connects now. */
  open() {
    clearTimeout(this.#timer);
    this.#drop();
    this.#closed = false;
    this.#caught = 0;
    this.#tell(this.#since === null ? "connecting" : "catching", { lines: 0 });
    const token = this.token();
    const socket = new WebSocket(this.#address(), token ? ["monitor.v1", `token.${token}`] : ["monitor.v1"]);
    let entered = false;
    socket.onopen = () => {
      entered = true;
      this.#failures = 0;
      this.#waitForQuiet();
    };
    socket.onmessage = (message) => this.#take(JSON.parse(message.data));
    socket.onclose = (gone) => this.#gone(entered, gone);
    this.#socket = socket;
  }

  /** Closes the stream permanently. */
  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#quiet);
    this.#drop();
  }

  /** Sends an order; returns false without a connection. */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Reconnects at once if it is waiting. */
  hurry() {
    if (this.state === "waiting") this.open();
  }

  #address() {
    const query = new URLSearchParams(this.query);
    if (this.#since !== null) query.set("since", String(this.#since));
    if (this.#since !== null && this.#log) query.set("log", this.#log);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    return `${scheme}//${location.host}/events?${query}`;
  }

  #take(line) {
    const live = ONLY_LIVE.has(line.type);
    const fresh = line.type === "monitor.snapshot";
    if (fresh) {
      const socket = this.#socket;
      if (this.#log) this.onafresh(line.data.log || null);
      if (socket !== this.#socket) return; // a newer socket has replaced it
      this.#seen.clear();
      this.#since = line.data.sequence;
      this.#log = line.data.log || null;
    } else if (line.partitionkey === "hub") {
      this.online(line);
      return;
    } else {
      if (!live && this.#twice(line.id)) return;
      this.#since = Math.max(this.#since ?? 0, Number(line.sequence));
    }
    this.#caught++;
    this.online(line);
    if (this.state === "live") return;
    if (live || fresh) this.#tell("live");
    else {
      this.#tell("catching", { lines: this.#caught });
      this.#waitForQuiet();
    }
  }

  #twice(id) {
    if (this.#seen.has(id)) return true;
    this.#seen.add(id);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value);
    return false;
  }

  /** Without live events, a pause indicates that all missed events have been sent. */
  #waitForQuiet() {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.state !== "live" && this.#tell("live"), QUIET_MS);
  }

  async #gone(entered, { code, reason }) {
    clearTimeout(this.#quiet);
    this.#socket = null;
    if (this.#closed) return;
    if (code === POLICY_VIOLATION) return this.#tell("refused", { reason });
    if (!entered && (await hubAnswers())) {
      // The hub is reachable but refused the connection; browsers do not give the reason to scripts.
      return this.#closed || this.#tell("refused", { reason: this.token() ? "This token is not valid here, or has expired." : "" });
    }
    if (!this.#closed) this.#wait();
  }

  #wait() {
    const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures++);
    const until = performance.now() + most * (0.75 + Math.random() / 4);
    const tick = () => {
      const left = until - performance.now();
      if (left <= 0) return this.open();
      this.#tell("waiting", { seconds: Math.ceil(left / 1000) });
      this.#timer = setTimeout(tick, Math.min(left, 1000));
    };
    tick();
  }

  #drop() {
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  #tell(state, detail = {}) {
    this.state = state;
    this.onstate(state, detail);
  }
}

async function hubAnswers() {
  try {
    return (await fetch("/healthz", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
