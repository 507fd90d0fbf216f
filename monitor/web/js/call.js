// The open call: its own event stream from the beginning of the call, and its view.

import { emptyConversation, hear, KINDS } from "./conversation.js";
import { MessageBox } from "./message.js";
import { Plot } from "./plot.js";
import { secondsOf } from "./state.js";
import { Stream } from "./stream.js";
import { agentName, clock, el, hardness, put, shortId } from "./text.js";
import { Transcript } from "./transcript.js";
import { sideText, voiceText } from "./row.js";

const SPANS = [[60, "last minute"], [180, "last 3 minutes"], [600, "last 10 minutes"]];

export class CallView {
  #talk;
  #drawn = -1;
  #asked = new Map();
  #caught = false;

  constructor(box, id, { token, query, onclose }) {
    this.#talk = emptyConversation(id);
    this.id = id;
    this.box = box;
    this.transcript = new Transcript((kind, alert) => this.#order(kind, alert));
    this.message = new MessageBox((order) => this.#send(order));
    this.#build(onclose);
    this.plot = new Plot(this.plotBox);
    this.stream = new Stream({
      query: { ...query, call: id, kind: KINDS.join(",") }, since: 0, token,
      online: (line) => this.#take(line),
      onstate: (state) => state === "live" && (this.#caught = true),
      onafresh: (log) => log !== this.stream.log && this.beginAnew(log),
    });
    this.stream.open();
  }

  /** Restarts from the beginning of the call, because the hub has a new log. */
  beginAnew(log) {
    this.#talk = emptyConversation(this.id);
    this.#drawn = -1;
    this.#caught = false;
    this.#asked.clear();
    this.noteList.replaceChildren();
    this.stream.restart(0, log);
  }

  /** Closes the view and its stream. */
  close() {
    this.stream.close();
    this.plot.remove();
    this.box.replaceChildren();
    this.box.hidden = true;
  }

  /** Updates the view. `call` is the call's entry in the list, if there is one. */
  render(call, now) {
    const talk = this.#talk;
    const seconds = talk.ended?.seconds ?? (call ? secondsOf(call, now) : 0);
    put(this.time, clock(seconds));
    if (call) {
      this.plot.draw(call.voices, [...talk.alerts.values()], seconds, Number(this.span.value));
      for (const side of ["agent", "caller"]) put(this.voices[side], sideText(call, side));
      this.plotBox.setAttribute("aria-label", `Level and pitch against their own normal. ${voiceText(call)}`);
    }
    this.#writeState();
    if (this.#drawn === talk.changes) return;
    this.#drawn = talk.changes;
    this.#writeHead(call);
    this.#writeNotes();
    this.transcript.render(talk, this.#asked);
  }

  #build(onclose) {
    this.name = el("h2", { tabindex: "-1" }, "…");
    this.about = el("p", { class: "sub" });
    this.tag = el("span", { class: "tag ordinary" });
    this.time = el("span", { class: "time num" });
    const close = el("button", { type: "button", class: "quiet", "aria-label": "Close this call", title: "Close (Esc)" }, "✕");
    close.addEventListener("click", onclose);
    this.parts = el("ul", { class: "parts", "aria-label": "Parts of the difficulty" });
    this.span = el("select", { "aria-label": "Time shown" }, ...SPANS.map(([seconds, text]) => el("option", { value: seconds }, text)));
    this.span.value = "180";
    this.plotBox = el("div", { class: "plot", role: "img", "aria-label": "Level and pitch" });
    this.voices = { agent: el("span", { class: "agent" }), caller: el("span", { class: "caller" }) };
    this.state = el("p", { class: "sub breathe", role: "status" }, "Fetching what was said so far …");
    this.facts = el("div", { class: "facts" }, this.parts, this.state);
    this.noteList = el("ul");
    this.notes = el("details", { class: "notes", hidden: true }, el("summary", {}, "Notes"), this.noteList);
    this.box.replaceChildren(
      el("header", { class: "headline" }, el("div", { class: "names" }, this.name, this.about), close, this.tag, this.time),
      this.facts,
      el("section", { class: "plots", "aria-label": "Voices" },
        el("header", {}, el("h3", {}, "Voices against their own normal"), el("span", { class: "agent sub" }, "━ agent"), el("span", { class: "caller sub" }, "━ caller"), this.span),
        this.plotBox, el("p", { class: "now num" }, this.voices.agent, this.voices.caller)),
      this.transcript.box, this.notes, this.message.form);
    this.box.hidden = false;
    this.name.focus({ preventScroll: true });
  }

  #take(line) {
    if (line.type === "monitor.refused") return this.#refused(line.data.reason);
    hear(this.#talk, line);
    if (line.type === "monitor.told") this.message.told(line.data);
    if (line.type === "monitor.alert.closed") this.#asked.delete(line.data.alert);
    if (line.type === "monitor.call.ended") this.message.end();
  }

  #send(order) {
    return this.stream.send({ call: this.id, order });
  }

  #order(kind, alert) {
    if (!this.#send({ kind, alert: alert.alert })) return;
    this.#asked.set(alert.alert, kind);
    this.#talk.changes++;
  }

  #refused(reason) {
    if (this.message.refused(reason)) return;
    this.#asked.clear();
    this.#talk.changes++;
    this.message.status.textContent = reason;
  }

  #writeHead(call) {
    const { agent, team, started, difficulty } = this.#talk;
    put(this.name, agentName({ agent: agent ?? call?.agent }));
    this.message.address(agent ?? call?.agent);
    put(this.about, [`call ${shortId(this.id)}`, team ?? call?.team, started?.meta?.direction].filter(Boolean).join(" · "));
    this.about.title = [this.id, started && `words by ${started.model}`].filter(Boolean).join("\n");
    const score = Math.round((difficulty ?? call?.difficulty)?.score ?? 0);
    const { kind, shape, word } = hardness(score);
    this.tag.className = `tag ${kind}`;
    put(this.tag, `${shape} ${score} ${word}`.trim());
    const parts = Object.entries(difficulty?.parts ?? {}).sort((a, b) => b[1] - a[1]);
    this.parts.hidden = !parts.length;
    this.parts.replaceChildren(...parts.map(([name, points]) => {
      const fill = el("i");
      fill.style.width = `${Math.min(100, points * 2.5)}%`;
      return el("li", {}, `${name} ${Math.round(points)}`, el("span", { class: "bar", "aria-hidden": "true" }, fill));
    }));
  }

  /** The state as one line: loading, unknown, recognition delayed, ended. */
  #writeState() {
    const talk = this.#talk;
    const known = talk.started || talk.changes > 0;
    let text = "";
    if (!known && !this.#caught) text = "Fetching what was said so far …";
    else if (!known) text = "Nothing is known of this call here: it may have been forgotten, or it is not yours to see.";
    else if (talk.ended) text = `Ended after ${clock(talk.ended.seconds)}.`;
    else if (talk.partial) text = "The beginning of this call is no longer kept.";
    else if (talk.status && talk.status.lag_s > 2) text = `The words are ${talk.status.lag_s.toFixed(0)} s behind.`;
    put(this.state, text);
    this.state.hidden = !text;
    this.state.classList.toggle("breathe", !this.#caught);
    this.facts.hidden = this.parts.hidden && !text;
    this.message.form.hidden = this.#caught && !known;
  }

  #writeNotes() {
    const { notes } = this.#talk;
    this.notes.hidden = !notes.length;
    put(this.notes.firstElementChild, `Notes (${notes.length})`);
    for (const note of notes.slice(this.noteList.childElementCount)) {
      this.noteList.append(el("li", {}, el("span", { class: "sub" }, clock(note.at)), el("span", { class: "sub" }, note.kind), el("span", {}, note.text)));
    }
  }
}
