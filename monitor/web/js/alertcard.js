// An alert in its place in the transcript: what, why, its evidence, and what a person can say to it.

import { named, spelled } from "./names.js";
import { bar, clock, el, kindOf, measured, reason, SHAPES } from "./text.js";

const CLOSED = { cleared: "cleared", expired: "over", acknowledged: "acknowledged", wrong: "said to be wrong", "call ended": "open to the end" };

/** What decides whether a card has to be built again. */
export const alertSignature = (alert, asked) =>
  [alert.level, alert.at, alert.why, alert.card, alert.withheld, alert.closed?.reason, alert.evidence.value, asked].join("|");

/** The card; `order(kind, alert)` is called by its buttons, `asked` is the order under way. */
export function alertCard(alert, { asked, order, ended }) {
  const kind = kindOf(alert);
  const { shape, word } = SHAPES[kind];
  const card = el("div", { class: `alert ${alert.closed ? "closed" : kind}`, "data-alert": alert.alert },
    el("p", { class: "title" }, el("span", {}, `${shape} ${capital(named(alert.rule))}`), el("span", { class: "sub" }, standing(alert, word))),
    el("p", {}, reason(alert)));
  const say = alert.say ? el("p", { class: "say" }, `“${alert.say}”`, el("span", { class: "sub" }, ` ${shown(alert)}`)) : null;
  const open = !alert.closed && !ended;
  card.append(el("div", { class: "foot" }, say, open ? buttons(alert, asked, order) : null), el("p", { class: "evidence" }, evidence(alert)));
  return card;
}

function buttons(alert, asked, order) {
  const button = (kind, text) => {
    const name = named(alert.rule);
    const node = el("button", { type: "button", "data-order": kind, disabled: Boolean(asked), "aria-label": `${text}: ${name}` }, asked === kind ? "sent …" : text);
    node.addEventListener("click", () => order(kind, alert));
    return node;
  };
  return el("div", { class: "actions" }, button("acknowledge", "Acknowledge"), button("wrong", "This is wrong"));
}

function standing(alert, word) {
  if (!alert.closed) return `${word}, open`;
  return `${word}, ${CLOSED[alert.closed.reason] ?? alert.closed.reason} ${clock(alert.closed.at)}`;
}

/** What the agent saw of it. */
function shown(alert) {
  if (!alert.to.includes("agent")) return "not for the agent";
  if (alert.card) return "on the agent's screen";
  return alert.withheld ? `held back: ${alert.withheld}` : "shown to the agent";
}

/** The measured value against its threshold and baseline, when it was heard, and what clears it. */
export function evidence(alert) {
  const { measure, value, threshold, baseline, unit, words, events, clears } = alert.evidence;
  const passed = bar(alert) ?? (threshold === null ? null : `bar ${measured(threshold, unit)}`);
  const parts = [alert.rule];
  if (value !== null) parts.push([`${spelled(measure)} ${measured(value, unit)}`, passed].filter(Boolean).join(", "));
  if (baseline !== null) parts.push(`own normal ${measured(baseline, unit)}`);
  const times = [...words, ...events].map((cite) => clock(cite.start) + (cite.kind ? ` ${cite.kind}` : ""));
  if (times.length) parts.push(times.join(", "));
  if (clears) parts.push(`clears ${clears}`);
  return parts.join(" · ");
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
