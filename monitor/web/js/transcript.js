// The live transcript: partial words in grey, final ones in full colour, alerts at their time.

import { cited, items, runs } from "./conversation.js";
import { alertCard, alertSignature } from "./alertcard.js";
import { clock, el, kindOf, put, SIDES } from "./text.js";

const NEAR_END = 48;

export class Transcript {
  #shown = new Map();
  /** Whether the view follows the newest item, until the user scrolls back. */
  #follows = true;

  constructor(order) {
    this.order = order;
    this.list = el("ol", { "aria-label": "Transcript" });
    this.jump = el("button", { type: "button", class: "jump", hidden: true }, "To the newest ↓");
    this.none = el("p", { class: "sub none", hidden: true });
    this.box = el("div", { class: "said", tabindex: "0", role: "region", "aria-label": "What is said" }, this.none, this.list, this.jump);
    this.jump.addEventListener("click", () => this.#toEnd());
    this.box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#follows && this.#toEnd()).observe(this.box);
  }

  /** Updates the view; `asked` maps alerts to their pending orders. */
  render(talk, asked) {
    const marks = cited(talk);
    const keys = new Set();
    let place = this.list.firstElementChild, grown = false;
    for (const item of items(talk)) {
      keys.add(item.key);
      const node = this.#node(item, talk, marks, asked);
      grown ||= !node.isConnected;
      if (node === place) place = place.nextElementSibling;
      else this.list.insertBefore(node, place);
    }
    for (const [key, { node }] of this.#shown) {
      if (keys.has(key)) continue;
      node.remove();
      this.#shown.delete(key);
    }
    this.none.hidden = keys.size > 0 || !talk.started;
    put(this.none, talk.started?.model === "none" ? "No recogniser listens on this call; alerts about its sound stand here." : "Nothing has been said yet.");
    if (this.#follows) this.#toEnd();
    else if (grown) this.jump.hidden = false;
  }

  #node(item, talk, marks, asked) {
    const [signature, fill] = this.#plan(item, talk, marks, asked);
    let shown = this.#shown.get(item.key);
    if (!shown) this.#shown.set(item.key, (shown = { node: el("li", { "data-kind": item.kind }), signature: null }));
    if (shown.signature !== signature) {
      const focused = shown.node.contains(document.activeElement) ? document.activeElement.dataset.order : null;
      shown.signature = signature;
      shown.node.replaceChildren(el("time", {}, clock(item.at)), fill());
      if (focused) (shown.node.querySelector(`[data-order="${focused}"]:enabled`) ?? this.box).focus();
    }
    return shown.node;
  }

  /** The signature of an item's current content, and a function that builds it. */
  #plan(item, talk, marks, asked) {
    if (item.kind === "alert") {
      const under = asked.get(item.alert.alert), ended = Boolean(talk.ended);
      return [`${alertSignature(item.alert, under)}${ended}`, () => alertCard(item.alert, { asked: under, order: this.order, ended })];
    }
    if (item.kind === "moment") return [item.text, () => el("p", { class: "moment" }, item.text)];
    if (item.kind === "told") return ["told", () => toldLine(item.told)];
    const parts = runs(item.said, marks[item.said.channel]);
    const signature = parts.map((run) => `${run.text}${run.firm}${run.phrase}${run.alert?.alert}${run.alert?.level}${Boolean(run.alert?.closed)}`).join("|");
    return [signature, () => saidLine(item.said, parts)];
  }

  #scrolled() {
    this.#follows = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR_END;
    if (this.#follows) this.jump.hidden = true;
  }

  #toEnd() {
    this.#follows = true;
    this.box.scrollTop = this.box.scrollHeight;
    this.jump.hidden = true;
  }
}

function saidLine(said, parts) {
  const line = el("p", {}, el("b", { class: `side ${said.channel}` }, SIDES[said.channel]));
  parts.forEach((run, n) => {
    if (n) line.append(" ");
    if (run.alert) line.append(el("mark", { class: run.alert.closed ? "over" : kindOf(run.alert), title: run.alert.summary }, run.text));
    else if (run.phrase) line.append(el("span", { class: run.firm ? "phrase" : "phrase partial", title: run.phrase }, run.text));
    else line.append(run.firm ? run.text : el("span", { class: "partial" }, run.text));
  });
  return line;
}

function toldLine(told) {
  return el("p", { class: "told" }, el("b", { class: "side" }, `${told.by ?? "supervisor"} to the agent`), told.text ?? "");
}
