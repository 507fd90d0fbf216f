// One call in the list. Only texts that differ are changed, and only visible drawings are drawn.

import { agentShare, openAlerts, secondsOf } from "./state.js";
import { agentName, chip, chipText, clock, el, hardness, kindOf, mark, put, shortId, signed } from "./text.js";
import { drawBand, drawVoices } from "./bands.js";

const MOST_CHIPS = 4;
const VOICES = "Against each side's own normal: level filled, pitch as a line; agent above, caller below";

const cell = (name, ...children) => el("div", { role: "cell", class: name }, ...children);

export class Row {
  visible = true;
  #chips = null;

  constructor(id) {
    this.id = id;
    this.link = el("a", { tabindex: "-1" });
    this.sub = el("span", { class: "sub" });
    this.length = cell("length num");
    this.band = el("canvas", { role: "img", "aria-label": "speech of the last 60 seconds" });
    this.voices = el("canvas", { role: "img", "aria-label": "level and pitch", title: VOICES });
    this.share = { bar: el("div", { class: "bar", "aria-hidden": "true" }, el("i"), el("i")), text: el("span", { class: "sub num" }) };
    this.hard = { score: el("span", { class: "score num" }), word: el("span", { class: "sub" }), fill: el("i") };
    this.list = el("ul");
    this.node = el("div", { class: "row", role: "row", "data-call": id },
      cell("who", this.link, this.sub),
      this.length,
      cell("band", this.band),
      cell("voice", this.voices),
      cell("talk", this.share.text, this.share.bar),
      this.hardCell = cell("hard", el("p", {}, this.hard.score, this.hard.word), el("div", { class: "bar", "aria-hidden": "true" }, this.hard.fill)),
      cell("alerts", this.list));
  }

  /** Updates all texts. */
  write(call, now, { filter, href, open }) {
    put(this.link, agentName(call));
    mark(this.link, "href", href);
    this.node.classList.toggle("open", open);
    if (open) mark(this.link, "aria-current", "true");
    else this.link.removeAttribute("aria-current");
    this.node.classList.toggle("ended", call.ended !== null);
    put(this.sub, [call.ended === null ? null : "ended", call.team, shortId(call.id)].filter(Boolean).join(" · "));
    mark(this.sub, "title", call.id);
    put(this.length, clock(secondsOf(call, now)));
    this.#writeShare(agentShare(call, now));
    this.#writeDifficulty(call.difficulty);
    this.#writeAlerts(openAlerts(call, filter), call);
  }

  /** Draws the bands, at the size shared by all rows. */
  draw(call, now, size) {
    drawBand(this.band, size.band, size.height, call, now);
    drawVoices(this.voices, size.voice, size.tall, call, now);
    mark(this.voices, "aria-label", voiceText(call));
  }

  #writeShare(share) {
    const agent = share === null ? 50 : Math.round(share * 100);
    put(this.share.text, share === null ? "–" : `${agent} : ${100 - agent}`);
    mark(this.share.text, "title", "agent : caller, in per cent of what was said");
    const [left, right] = this.share.bar.children;
    left.style.width = share === null ? "0" : `${agent}%`;
    right.style.width = share === null ? "0" : `${100 - agent}%`;
  }

  #writeDifficulty(difficulty) {
    const score = Math.round(difficulty?.score ?? 0);
    const { kind, shape, word } = hardness(score);
    put(this.hard.score, `${shape} ${score}`.trim());
    this.hard.score.className = `score num ${kind}`;
    this.hard.fill.className = kind;
    this.hard.fill.style.width = `${score}%`;
    const parts = Object.entries(difficulty?.parts ?? {}).sort((a, b) => b[1] - a[1]);
    put(this.hard.word, parts.length ? parts.map(([name]) => name).join(", ") : word);
    mark(this.hardCell, "title", [`${word}, ${score} of 100`, ...parts.map(([name, points]) => `${name}: ${points}`)].join("\n"));
  }

  #writeAlerts(alerts, call) {
    const wanted = alerts.map((alert) => `${kindOf(alert)} ${chipText(alert)}`).join("|") || (call.ended === null ? "quiet" : "ended");
    if (wanted === this.#chips) return;
    this.#chips = wanted;
    const chips = alerts.slice(0, MOST_CHIPS).map((alert) => el("li", {}, chip(kindOf(alert), chipText(alert), alert.summary)));
    if (alerts.length > MOST_CHIPS) chips.push(el("li", { class: "sub" }, `and ${alerts.length - MOST_CHIPS} more`));
    this.list.replaceChildren(...(chips.length ? chips : [el("li", { class: "sub" }, wanted)]));
  }
}

/** Both voices as text, for screen readers. */
export const voiceText = (call) => `${sideText(call, "agent")}; ${sideText(call, "caller")}`;

/** One voice against its baseline, as text. */
export function sideText(call, side) {
  const newest = call.voices.newest[side];
  if (!newest) return `${side}: own normal not yet known`;
  const pitch = newest.pitch === null || newest.pitch === undefined ? "" : `, pitch ${signed(newest.pitch)} semitones`;
  return `${side}: level ${signed(newest.level)} dB${pitch}`;
}

