// What the page makes of events, without a page: `node --test tests/web/`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { agentShare, arranged, choices, emptyState, fits, forget, isRaised, secondsOf, stretches, take } from "../../monitor/web/js/state.js";
import { cited, emptyConversation, hear, items, runs } from "../../monitor/web/js/conversation.js";
import { Voices } from "../../monitor/web/js/voices.js";
import { chipText, clock, compared, kindOf, measured, signed, spelled } from "../../monitor/web/js/text.js";

const event = (type, data, call = "c1") => ({ type: `monitor.${type}`, partitionkey: call, data: { detected_at: 0, ...data } });
const alert = (rule, level, more = {}) => ({
  alert: `${rule}-1`, rule, level, praise: false, at: 1, channel: "agent", title: spelled(rule), summary: "Because.",
  measured: 1, threshold: 1, comparison: "at_least", unit: "times", evidence: [], ...more,
});

test("a call's time goes on between its events, and never back", () => {
  const state = emptyState();
  take(state, event("call.started", { agent: "Amira" }), 1000);
  take(state, event("speech.started", { detected_at: 10, channel: "agent", at: 9.8 }), 11_000);
  const call = state.calls.get("c1");
  assert.equal(secondsOf(call, 13_000), 12);
  take(state, event("speech.ended", { detected_at: 11, channel: "agent", start: 9.8, end: 10.7 }), 14_000); // late
  assert.equal(secondsOf(call, 14_000), 13);
});

test("talk share counts both sides, those who speak just now included", () => {
  const state = emptyState();
  take(state, event("speech.ended", { detected_at: 4, channel: "agent", start: 1, end: 4 }), 4000);
  take(state, event("speech.started", { detected_at: 4, channel: "caller", at: 4 }), 4000);
  const call = state.calls.get("c1");
  assert.equal(agentShare(call, 5000), 0.75);
  assert.deepEqual(stretches(call, "caller", 5000), [[4, 5]]);
});

test("stretches that are told late do not silence who speaks now", () => {
  const state = emptyState();
  take(state, event("speech.started", { detected_at: 30, channel: "agent", at: 30 }), 30_000);
  take(state, event("speech.started", { detected_at: 5, channel: "agent", at: 5 }), 30_100);
  take(state, event("speech.ended", { detected_at: 9, channel: "agent", start: 5, end: 8 }), 30_100);
  const call = state.calls.get("c1");
  assert.equal(call.talk.agent, 3);
  take(state, event("speech.started", { detected_at: 31, channel: "agent", at: 30 }), 31_000);
  assert.equal(call.speaking.agent, 30);
});

test("news are warnings and more: opened, or risen", () => {
  const state = emptyState(), news = [];
  take(state, event("alert.opened", alert("a.b", "info")), 0, news);
  assert.equal(news.length, 0);
  take(state, event("alert.updated", alert("a.b", "warn")), 0, news);
  take(state, event("alert.updated", alert("a.b", "warn")), 0, news);
  assert.equal(news.length, 1);
  take(state, event("alert.closed", alert("a.b", "warn")), 0, news);
  assert.equal(state.calls.get("c1").alerts.size, 0);
});

test("a snapshot is the truth about what is open", () => {
  const state = emptyState();
  take(state, event("call.started", {}, "gone"), 0);
  take(state, event("call.started", {}, "stays"), 0);
  take(state, event("alert.opened", alert("a.b", "warn"), "stays"), 0);
  take(state, event("snapshot", { calls: [{ call: "stays", agent: "Tom", team: "T", seconds: 9, alerts: [] }] }, "hub"), 9000);
  assert.deepEqual([...state.calls.keys()], ["stays"]);
  assert.equal(state.calls.get("stays").agent, "Tom");
  assert.equal(state.calls.get("stays").alerts.size, 0);
});

test("a snapshot tells who has talked how long; what it counted is not counted again", () => {
  const state = emptyState();
  const open = { call: "c1", agent: "Tom", team: "T", seconds: 60, alerts: [], talk: { agent: 30, caller: 10 } };
  take(state, event("snapshot", { calls: [open] }, "hub"), 60_000);
  const call = state.calls.get("c1");
  take(state, event("speech.ended", { detected_at: 50, channel: "agent", start: 40, end: 49 }), 60_000); // looked back
  assert.equal(agentShare(call, 60_000), 0.75);
  assert.deepEqual(stretches(call, "agent", 60_000), [[40, 49]]);
  take(state, event("speech.ended", { detected_at: 71, channel: "caller", start: 60, end: 70 }), 71_000);
  assert.equal(agentShare(call, 71_000), 0.6);
});

test("help needed comes first, ended calls last, and filters narrow", () => {
  const state = emptyState();
  for (const [id, agent] of [["c1", "A"], ["c2", "B"], ["c3", "C"]]) take(state, event("call.started", { agent, team: "T" }, id), 0);
  take(state, event("alert.opened", alert("x.y", "critical"), "c3"), 0);
  take(state, event("call.ended", { seconds: 5, talk: {} }, "c1"), 5000);
  assert.deepEqual(arranged(state, {}), ["c3", "c2", "c1"]);
  assert.deepEqual(arranged(state, { order: "agent" }), ["c1", "c2", "c3"]);
  assert.deepEqual(arranged(state, { level: "warn" }), ["c3"]);
  assert.ok(!fits(state.calls.get("c3"), { rule: "other" }));
  assert.deepEqual(choices(state), { team: ["T"], agent: ["A", "B", "C"], rule: ["x.y"], titles: new Map([["x.y", "x y"]]) });
  assert.ok(forget(state, 400_000, "c2"));
  assert.ok(!state.calls.has("c1"));
});

test("a later revision replaces an earlier one, an earlier never a later", () => {
  const talk = emptyConversation("c1");
  const said = (revision, text, final = false) => event("utterance", { channel: "agent", utterance: 1, revision, start: 1, end: 2, text, words: [], final });
  hear(talk, said(2, "good morning"));
  hear(talk, said(1, "good"));
  hear(talk, said(3, "Good morning.", true));
  hear(talk, said(3, "stale"));
  assert.deepEqual(items(talk).map((item) => item.said.text), ["Good morning."]);
});

test("evidence marks its words, on its own side only", () => {
  const talk = emptyConversation("c1");
  const words = [{ text: "so", start: 0, end: 0.3, committed: true }, { text: "sorry", start: 0.3, end: 0.8, committed: false }];
  hear(talk, event("alert.opened", alert("a.b", "warn", { evidence: [{ start: 0.3, end: 0.8, channel: "agent", text: "so" }] })));
  const marks = cited(talk);
  assert.deepEqual(runs({ words, final: false, text: "" }, marks.agent).map((run) => [run.text, run.firm, run.alert?.rule ?? null]), [["so", true, null], ["sorry", false, "a.b"]]);
  assert.deepEqual(runs({ words, final: true, text: "" }, marks.caller).map((run) => run.text), ["so sorry"]);
});

test("a voice is raised from when the rules say so until they say that it came down", () => {
  const state = emptyState();
  take(state, event("raised_voice", { detected_at: 21, channel: "caller", start: 20, end: null }), 21_000);
  const call = state.calls.get("c1");
  assert.deepEqual([19, 20, 60].map((at) => isRaised(call, "caller", at)), [false, true, true]);
  assert.ok(!isRaised(call, "agent", 20));
  take(state, event("raised_voice", { detected_at: 40, channel: "caller", start: 20, end: 38 }), 40_000);
  assert.deepEqual([38, 39].map((at) => isRaised(call, "caller", at)), [true, false]);
});

test("phrases are marked in the words while they stand, unless they were only perhaps said", () => {
  const talk = emptyConversation("c1");
  const words = [{ text: "so", start: 0, end: 0.3, committed: true }, { text: "sorry", start: 0.3, end: 0.8, committed: true }];
  const phrase = (more) => event("phrase", { channel: "agent", utterance: 1, of: "apology", start: 0.3, end: 0.8, text: "sorry", certain: true, withdrawn: false, ...more });
  const marked = () => runs({ words, final: true, text: "" }, cited(talk).agent).map((run) => [run.text, run.phrase]);
  hear(talk, phrase({ certain: false }));
  assert.deepEqual(marked(), [["so sorry", null]]);
  hear(talk, phrase());
  assert.deepEqual(marked(), [["so", null], ["sorry", "apology"]]);
  hear(talk, phrase({ withdrawn: true }));
  assert.deepEqual(marked(), [["so sorry", null]]);
});

test("whatever a detector found stands in the transcript once, by its name", () => {
  const talk = emptyConversation("c1");
  hear(talk, event("hold", { channel: "caller", start: 3, end: null }));
  hear(talk, event("hold", { channel: "caller", start: 3, end: 9 }));
  hear(talk, event("big_sigh", { channel: "agent", start: 12, end: 13 }));
  hear(talk, event("prosody", { channel: "agent", at: 12 }));
  assert.deepEqual(items(talk).map((item) => [item.at, item.text]), [[3, "The caller is on hold"], [12, "big sigh (agent)"]]);
});

test("voices bridge what a slow connection leaves out, but not a pause", () => {
  const voices = new Voices();
  const put = (at, level_db) => voices.put({ channel: "agent", at, level_db, pitch_st: null });
  put(1, 0), put(1.5, 4), put(10, 8);
  const [times, agent, caller] = voices.columns("level", 0.75, 2);
  assert.deepEqual(times, [0.75, 1, 1.25, 1.5, 1.75, 2]);
  assert.deepEqual(agent, [null, 0, 2, 4, null, null]);
  assert.ok(caller.every((value) => value === null));
  put(2000, 1);
  assert.ok(Number.isNaN(voices.at("agent", "level", 4)));
});

test("a value stands with its unit, and beside what it was compared with", () => {
  assert.equal(measured(1, "times"), "once");
  assert.equal(measured(0.654, "share"), "65 %");
  assert.equal(compared({ comparison: "less_than", threshold: 1.2, unit: "st" }), "alert below 1.2 st");
  assert.equal(compared({ comparison: "at_least", threshold: 3, unit: "times" }), "alert from 3 times");
  assert.equal(chipText(alert("a.b", "warn", { measured: 3 })), "a b ×3");
  assert.equal(chipText(alert("a.b", "warn", { measured: 0.654, unit: "share" })), "a b, 65 %");
});

test("praise is a kind of its own, whatever the rule is called", () => {
  assert.equal(kindOf(alert("x.credit", "info")), "info");
  assert.equal(kindOf(alert("x.y", "info", { praise: true })), "praise");
});

test("times and differences are written as people read them", () => {
  assert.equal(clock(372.9), "06:12");
  assert.equal(clock(3723), "1:02:03");
  assert.equal(signed(-2.04), "−2.0");
  assert.equal(signed(0.04), "0.0");
});

test("what is wrong with the recogniser or the sound stands in the transcript once", () => {
  const talk = emptyConversation("c1");
  hear(talk, event("call.started", { agent: null, team: null, notice: "Speech recognition is off: no model. 44 rules are off." }));
  hear(talk, event("status", { at: 1, notice: "Speech recognition is off: no model." }));
  hear(talk, event("status", { at: 7, notice: "The microphone is gone." }));
  hear(talk, event("quality", { kind: "swapped", channel: null, start: 9, end: null, say: "The sides look exchanged." }));
  assert.deepEqual(items(talk).map((item) => [item.at, item.text]), [
    [0, "Speech recognition is off: no model. 44 rules are off."],
    [7, "The microphone is gone."],
    [9, "The sides look exchanged."],
  ]);
});
