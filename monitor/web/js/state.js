// The state of all calls, updated by events. It uses neither a clock nor the DOM; `now` (milliseconds of a
// monotonic clock) is passed with each event. The state is changed in place, since two thousand events may
// arrive per second.

import { Voices } from "./voices.js";
import { hardness, rank, RANKS } from "./text.js";

/** The kinds of events that the list of calls needs. */
export const KINDS = ["call", "speech", "prosody", "raised_voice", "alert", "difficulty"];

const BAND_SECONDS = 60;
const ENDED_STAY_MS = 300_000;
const MOST_ENDED = 50;

export function emptyState() {
  return { calls: new Map(), arrived: 0 };
}

function newCall(state, id, now) {
  const call = {
    id, agent: null, team: null, order: state.arrived++, zero: null, seen: null, ended: null, endedAt: null, counted: -1,
    alerts: new Map(), difficulty: null, talk: { agent: 0, caller: 0 }, speaking: { agent: null, caller: null },
    spoken: { agent: [], caller: [] }, raised: { agent: [], caller: [] }, voices: new Voices(),
  };
  state.calls.set(id, call);
  return call;
}

/** The current call time in seconds: the latest received, plus the time since then. */
export function secondsOf(call, now) {
  if (call.ended !== null) return call.ended;
  return call.zero === null ? 0 : Math.max(0, (now - call.zero) / 1000);
}

function keepTime(call, known, now) {
  const zero = now - known * 1000;
  if (call.zero === null || zero < call.zero) call.zero = zero;
  if (call.seen === null) call.seen = known;
}

/**
 * Processes one event. Returns the id of the call that changed, or null; `news` collects alerts to announce:
 * opened or raised to warning and above.
 */
export function take(state, line, now, news = []) {
  const name = line.type.slice("monitor.".length);
  if (name === "snapshot") return takeSnapshot(state, line.data, now);
  const apply = APPLY[name];
  if (!apply) return null;
  const id = line.partitionkey;
  const call = state.calls.get(id) ?? newCall(state, id, now);
  keepTime(call, line.data.detected_at, now);
  apply(call, line.data, now, news);
  return id;
}

/** Replaces the state by a snapshot; only the voice curves of calls that are still open are kept. */
function takeSnapshot(state, data, now) {
  const open = new Set(data.calls.map((found) => found.call));
  for (const [id, call] of state.calls) if (!open.has(id) && call.ended === null) state.calls.delete(id);
  for (const found of data.calls) {
    const call = state.calls.get(found.call) ?? newCall(state, found.call, now);
    Object.assign(call, { agent: found.agent, team: found.team, difficulty: found.difficulty ?? null });
    Object.assign(call, { spoken: { agent: [], caller: [] }, speaking: { agent: null, caller: null }, seen: null });
    call.talk = { agent: 0, caller: 0, ...found.talk };
    call.counted = found.seconds;
    call.alerts = new Map(found.alerts.map((alert) => [alert.alert, alert]));
    keepTime(call, found.seconds, now);
  }
  return null;
}

const APPLY = {
  "call.started"(call, data) {
    Object.assign(call, { agent: data.agent ?? call.agent, team: data.team ?? call.team, seen: 0 });
  },
  "call.ended"(call, data, now) {
    Object.assign(call, { ended: data.seconds, endedAt: now, talk: { ...call.talk, ...data.talk } });
    call.speaking = { agent: null, caller: null };
    call.alerts.clear();
  },
  "speech.started"(call, data) {
    const spoken = call.spoken[data.channel];
    if (spoken.every(([, end]) => end <= data.at)) call.speaking[data.channel] = data.at;
  },
  "speech.ended"(call, data) {
    const since = call.speaking[data.channel];
    if (since !== null && since < data.end) call.speaking[data.channel] = null;
    if (data.detected_at > call.counted) call.talk[data.channel] += data.end - data.start;
    call.seen = Math.min(call.seen, data.start);
    const spoken = call.spoken[data.channel];
    spoken.push([data.start, data.end]);
    while (spoken.length && spoken[0][1] < data.detected_at - BAND_SECONDS - 5) spoken.shift();
  },
  prosody(call, data) {
    call.voices.put(data);
  },
  raised_voice(call, data) {
    const raised = call.raised[data.channel], known = raised.find((one) => one.start === data.start);
    if (known) known.end = data.end ?? null;
    else raised.push({ start: data.start, end: data.end ?? null });
    while (raised.length && raised[0].end !== null && raised[0].end < data.detected_at - BAND_SECONDS - 5) raised.shift();
  },
  difficulty(call, data) {
    call.difficulty = data;
  },
  "alert.opened": openAlert,
  "alert.updated": openAlert,
  "alert.closed"(call, data) {
    call.alerts.delete(data.alert);
  },
};

function openAlert(call, data, now, news) {
  const before = call.alerts.get(data.alert);
  call.alerts.set(data.alert, data);
  if (rank(data) >= 2 && (!before || rank(data) > rank(before))) news.push({ call, alert: data });
}

/** Removes calls that ended some time ago, except the open one. */
export function forget(state, now, open) {
  const ended = [...state.calls.values()].filter((call) => call.ended !== null && call.id !== open);
  ended.sort((a, b) => b.endedAt - a.endedAt);
  const gone = ended.filter((call, at) => at >= MOST_ENDED || now - call.endedAt > ENDED_STAY_MS);
  for (const call of gone) state.calls.delete(call.id);
  return gone.length > 0;
}

/** The speech segments of one side in the last minute, including the current one. */
export function stretches(call, channel, now) {
  const at = secondsOf(call, now);
  const found = call.spoken[channel].filter(([, end]) => end > at - BAND_SECONDS);
  if (call.speaking[channel] !== null) found.push([call.speaking[channel], at]);
  return found;
}

/** Whether a side's voice is raised at a time of the call, according to the rules. */
export function isRaised(call, channel, at) {
  return call.raised[channel].some(({ start, end }) => start <= at && (end === null || at <= end));
}

/** The agent's talk share, or null while there is too little speech. */
export function agentShare(call, now) {
  const running = (channel) =>
    call.speaking[channel] === null ? 0 : Math.max(0, secondsOf(call, now) - call.speaking[channel]);
  const agent = call.talk.agent + running("agent");
  const both = agent + call.talk.caller + running("caller");
  return both < 2 ? null : agent / both;
}

/** The open alerts of a call that match a filter, the most serious first. */
export function openAlerts(call, filter = {}) {
  const least = RANKS[filter.level] ?? 0;
  return [...call.alerts.values()]
    .filter((alert) => rank(alert) >= least && (!filter.rule || alert.rule === filter.rule))
    .sort((a, b) => rank(b) - rank(a) || b.at - a.at);
}

/** Whether a call matches the filter. */
export function fits(call, filter) {
  if (filter.team && call.team !== filter.team) return false;
  if (filter.agent && call.agent !== filter.agent) return false;
  return !(filter.rule || filter.level) || openAlerts(call, filter).length > 0;
}

function need(call) {
  if (call.ended !== null) return -1;
  const score = call.difficulty?.score ?? 0;
  const worst = Math.max(0, ...[...call.alerts.values()].map(rank));
  return worst * 4 + { critical: 2, warn: 1, ordinary: 0 }[hardness(score).kind];
}

const ORDERS = {
  "": (a, b) => b.need - a.need,
  length: ({ call: a }, { call: b }) => (a.ended !== null) - (b.ended !== null) || (a.zero ?? 0) - (b.zero ?? 0),
  agent: ({ call: a }, { call: b }) => (a.agent ?? "~").localeCompare(b.agent ?? "~"),
};

/** The ids of the calls that match a filter, in its order; the order is stable for equal calls. */
export function arranged(state, filter) {
  const shown = [...state.calls.values()].filter((call) => fits(call, filter));
  const compare = ORDERS[filter.order ?? ""] ?? ORDERS[""];
  const ranked = shown.map((call) => ({ call, need: need(call) }));
  return ranked.sort((a, b) => compare(a, b) || a.call.order - b.call.order).map(({ call }) => call.id);
}

/** The choices of the filters: the teams, agents and rules that occur, and the `titles` of the rules. */
export function choices(state) {
  const team = new Set(), agent = new Set(), titles = new Map();
  for (const call of state.calls.values()) {
    if (call.team) team.add(call.team);
    if (call.agent) agent.add(call.agent);
    for (const alert of call.alerts.values()) titles.set(alert.rule, alert.title);
  }
  const sorted = (set) => [...set].sort((a, b) => a.localeCompare(b));
  return { team: sorted(team), agent: sorted(agent), rule: sorted(titles.keys()), titles };
}
