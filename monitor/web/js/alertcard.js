// An alert in the transcript: summary, reason, evidence, and buttons for a person's response.

import { clock, compared, el, kindOf, measured, SHAPES, spelled } from "./text.js";

const CLOSED = { cleared: "cleared", expired: "over", acknowledged: "acknowledged", wrong: "said to be wrong", "call ended": "open to the end" };

/** A signature of the card's content; if it changes, the card is rebuilt. */
export const alertSignature = (alert, asked) =>
  [alert.level, alert.at, alert.summary, alert.card, alert.withheld, alert.closed?.reason, alert.measured, asked].join("|");

/** Builds the card; its buttons call `order(kind, alert)`; `asked` is the pending order. */
export function alertCard(alert, { asked, order, ended }) {
  const kind = kindOf(alert);
  const { shape, word } = SHAPES[kind];
  const card = el("div", { class: `alert ${alert.closed ? "closed" : kind}`, "data-alert": alert.alert },
    el("p", { class: "title" }, el("span", {}, `${shape} ${alert.title}`), el("span", { class: "sub" }, standing(alert, word))),
    el("p", {}, alert.summary, el("span", { class: "sub" }, ` ${alert.rationale}`)));
  const say = alert.message ? el("p", { class: "say" }, `“${alert.message}”`, el("span", { class: "sub" }, ` ${shown(alert)}`)) : null;
  const open = !alert.closed && !ended;
  card.append(el("div", { class: "foot" }, say, open ? buttons(alert, asked, order) : null), el("p", { class: "evidence" }, evidence(alert)));
  return card;
}

function buttons(alert, asked, order) {
  const button = (kind, text) => {
    const node = el("button", { type: "button", "data-order": kind, disabled: Boolean(asked), "aria-label": `${text}: ${alert.title}` }, asked === kind ? "sent …" : text);
    node.addEventListener("click", () => order(kind, alert));
    return node;
  };
  return el("div", { class: "actions" }, button("acknowledge", "Acknowledge"), button("wrong", "This is wrong"));
}

function standing(alert, word) {
  if (!alert.closed) return `${word}, open`;
  return `${word}, ${CLOSED[alert.closed.reason] ?? alert.closed.reason} ${clock(alert.closed.at)}`;
}

/** How the agent's overlay showed the alert. */
function shown(alert) {
  if (!alert.to.includes("agent")) return "not for the agent";
  if (alert.card) return "on the agent's screen";
  return alert.withheld ? `held back: ${alert.withheld}` : "shown to the agent";
}

/** The measured value with threshold and baseline, its time, and what clears the alert. */
export function evidence(alert) {
  const parts = [alert.rule];
  if (alert.measured !== null) parts.push(`${spelled(alert.measure)} ${measured(alert.measured, alert.unit)}, ${compared(alert)}`);
  if (alert.baseline !== null) parts.push(`own normal ${measured(alert.baseline, alert.unit)}`);
  const times = alert.evidence.map((cite) => clock(cite.start) + (cite.text ? "" : ` ${spelled(cite.kind)}`));
  if (times.length) parts.push(times.join(", "));
  parts.push(`clears when ${alert.clears_when}`);
  return parts.join(" · ");
}
