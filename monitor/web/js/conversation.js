// Turns the events of one call into the items of its transcript. No side effects.

/**
 * The kinds of events that the transcript leaves out: levels and speech segments come from the list's
 * stream. Every other kind is shown, including kinds unknown to this page.
 */
export const KINDS = ["-prosody", "-speech", "-floor", "-silence", "-overlap", "-expectation"];

/** The phrases that are highlighted in the words, by side and class, with their labels. */
const MARKED = {
  "agent apology": "apology", "agent empathy": "understanding", "agent promise": "promise",
  "caller distress": "distress", "caller anger": "anger",
};

/** Labels of kinds with a duration; other kinds are labelled by their name. */
const LASTING = {
  raised_voice: (data) => `The ${data.channel}'s voice is raised`,
  hold: () => "The caller is on hold",
  dead_air: () => "Nobody speaks",
};

export function emptyConversation(id) {
  return {
    id, started: null, ended: null, agent: null, team: null, difficulty: null, partial: false,
    utterances: new Map(), phrases: new Map(), alerts: new Map(), told: [], notes: [], moments: [], status: null, changes: 0,
  };
}

/** Processes one event of the call. */
export function hear(talk, line) {
  const data = line.data;
  const name = line.type.slice("monitor.".length);
  const apply = HEAR[name] ?? (typeof data.start === "number" && "channel" in data ? found : null);
  if (!apply) return;
  apply(talk, data, name);
  talk.changes++;
}

const HEAR = {
  snapshot(talk, data) {
    // The beginning is no longer stored, so only the current state is known.
    const found = data.calls.find((call) => call.call === talk.id);
    if (!found) return;
    Object.assign(talk, { started: found.started, agent: found.agent, team: found.team, partial: true });
    talk.difficulty = found.difficulty ?? talk.difficulty;
    notice(talk, 0, found.started?.notice);
    for (const alert of found.alerts) talk.alerts.set(alert.alert, { ...alert, closed: null });
  },
  "call.started"(talk, data) {
    Object.assign(talk, { started: data, agent: data.agent, team: data.team });
    notice(talk, 0, data.notice);
  },
  "call.ended"(talk, data) {
    talk.ended = data;
  },
  utterance(talk, data) {
    const key = `${data.channel} ${data.utterance}`;
    const before = talk.utterances.get(key);
    if (before && (before.final || before.revision > data.revision) && !(data.final && data.revision > before.revision)) return;
    talk.utterances.set(key, data);
  },
  phrase(talk, data) {
    const key = [data.channel, data.utterance, data.of, data.start, data.end, data.certain].join(" ");
    if (data.withdrawn) talk.phrases.delete(key);
    else if (data.certain && MARKED[`${data.channel} ${data.of}`]) talk.phrases.set(key, data);
  },
  "alert.opened": keepAlert,
  "alert.updated": keepAlert,
  "alert.closed"(talk, data) {
    talk.alerts.set(data.alert, { ...data, closed: { at: data.detected_at, reason: data.reason } });
  },
  told(talk, data) {
    talk.told.push(data);
  },
  note(talk, data) {
    talk.notes.push(data);
  },
  difficulty(talk, data) {
    talk.difficulty = data;
  },
  status(talk, data) {
    talk.status = data;
    notice(talk, data.at, data.notice);
  },
  interruption: (talk, data) => talk.moments.push({ at: data.start, text: `The ${data.by} took the floor from the ${data.of}` }),
  talk_over: (talk, data) => talk.moments.push({ at: data.start, text: `The ${data.by} talks over the ${data.of}` }),
  gap: (talk, data) => talk.moments.push({ at: data.at, text: `${data.seconds} s of the ${data.channel}'s sound never arrived` }),
  quality(talk, data) {
    if (data.end !== null && data.end !== undefined) return;
    notice(talk, data.start, data.say);
  },
};

/** Notices about audio or recogniser; a status may repeat the one of call.started. */
function notice(talk, at, text) {
  if (!text || talk.moments.some((moment) => moment.text.includes(text))) return;
  talk.moments.push({ at, text });
}

/** An interval found by a detector or the rules; the event with its end updates the same item. */
function found(talk, data, name) {
  const key = `${name} ${data.channel} ${data.start}`;
  if (talk.moments.some((moment) => moment.key === key)) return;
  const words = `${name.replace(/[._]+/g, " ")}${data.channel ? ` (${data.channel})` : ""}`;
  talk.moments.push({ at: data.start, key, text: LASTING[name]?.(data) ?? words });
}

function keepAlert(talk, data) {
  talk.alerts.set(data.alert, { ...data, closed: null });
}

/** The items of the transcript, by time: {key, at, kind, ...}. */
export function items(talk) {
  const found = [];
  for (const [key, said] of talk.utterances) {
    if (said.text.trim()) found.push({ key: `u ${key}`, at: said.start, rank: 0, kind: "said", said });
  }
  for (const alert of talk.alerts.values()) {
    found.push({ key: `a ${alert.alert}`, at: alert.at, rank: 2, kind: "alert", alert });
  }
  talk.moments.forEach((moment, n) => found.push({ key: `m ${n}`, at: moment.at, rank: 1, kind: "moment", text: moment.text }));
  talk.told.forEach((told, n) => {
    if (told.kind === "message") found.push({ key: `t ${n}`, at: told.at, rank: 3, kind: "told", told });
  });
  return found.sort((a, b) => a.at - b.at || a.rank - b.rank);
}

/** The intervals of alert evidence and of highlighted phrases, by side: [{start, end, alert or phrase}]. */
export function cited(talk) {
  const found = { agent: [], caller: [] };
  for (const { channel, of, start, end } of talk.phrases.values()) {
    found[channel].push({ start, end, alert: null, phrase: MARKED[`${channel} ${of}`] });
  }
  for (const alert of talk.alerts.values()) {
    for (const words of alert.evidence) {
      const side = words.text && found[words.channel ?? alert.channel];
      if (side) side.push({ start: words.start, end: words.end, alert });
    }
  }
  return found;
}

const EDGE = 0.01;

/**
 * Splits an utterance into runs of words: [{text, firm, alert, phrase}]. `alert` is the alert that has the
 * words as evidence (an open one before a closed one); partial words are not `firm` until committed.
 */
export function runs(said, marks) {
  if (!said.words.length) return [{ text: said.text, firm: said.final, alert: null, phrase: null }];
  const found = [];
  for (const word of said.words) {
    const over = marks.filter((cite) => word.start < cite.end - EDGE && word.end > cite.start + EDGE);
    const alerts = over.filter((cite) => cite.alert);
    const alert = (alerts.find((cite) => !cite.alert.closed) ?? alerts[0])?.alert ?? null;
    const phrase = over.find((cite) => cite.phrase)?.phrase ?? null;
    const firm = said.final || word.committed;
    const last = found.at(-1);
    if (last && last.alert === alert && last.phrase === phrase && last.firm === firm) last.text += ` ${word.text}`;
    else found.push({ text: word.text, firm, alert, phrase });
  }
  return found;
}
