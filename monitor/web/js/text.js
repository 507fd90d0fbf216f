// Helpers for text and elements. Text of a call reaches the page through `textContent` only.

/** Seconds of a call as mm:ss, or h:mm:ss from the first hour on. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** A difference with its sign: +5.2, −0.4, 0.0. */
export function signed(value, digits = 1) {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return (value < 0 ? "−" : "+") + text;
}

/** The label of a call without a known agent. */
export const agentName = (call) => call.agent || "Unnamed agent";

/** The short form of a call's id: its last characters. */
export const shortId = (id) => (id.length > 8 ? id.slice(-4) : id);

export const SIDES = { agent: "Agent", caller: "Caller" };

/** Each severity has a shape and a word in addition to its colour. */
export const SHAPES = {
  info: { shape: "●", word: "hint" },
  warn: { shape: "◆", word: "warning" },
  critical: { shape: "▲", word: "critical" },
  praise: { shape: "✓", word: "well done" },
};

/** The order of severity of each kind; the levels are those of the events. */
export const RANKS = { praise: 0, info: 1, warn: 2, critical: 3 };

/** The kind of an alert: its level, or praise. */
export const kindOf = (alert) => (alert.praise ? "praise" : alert.level);

export const rank = (alert) => RANKS[kindOf(alert)] ?? 0;

/** An id in words: `talk_share` becomes "talk share". */
export const spelled = (id) => id.replace(/[._]+/g, " ");

const number = (value) => String(Math.round(value * 100) / 100);

/** A measured value with its unit: "3 times", "2.5 s", "65 %". */
export function measured(value, unit) {
  if (value === null || value === undefined) return "";
  if (unit === "times" && value === 1) return "once";
  if (unit === "share") return `${Math.round(value * 100)} %`;
  return unit ? `${number(value)} ${unit}` : number(value);
}

const COMPARED = { at_least: "from", more_than: "above", at_most: "up to", less_than: "below" };

/** The threshold as text: "alert from 3 times", "alert below 1.2 st". */
export const compared = (alert) => `alert ${COMPARED[alert.comparison] ?? "at"} ${measured(alert.threshold, alert.unit)}`;

/** The text of a chip: the rule's title and the value. */
export function chipText(alert) {
  const { title, measured: value, unit } = alert;
  if (value === null || value === undefined) return title;
  if (unit === "times") return value > 1 ? `${title} ×${number(value)}` : title;
  if (unit === "points") return `${title} ${Math.round(value)}`;
  if (unit === "share") return `${title}, ${measured(value, unit)}`;
  return unit ? `${title}, ${Math.round(value * 10) / 10} ${unit}` : title;
}

/** The difficulty's kind, shape and word. */
export function hardness(score) {
  if (score >= 70) return { kind: "critical", shape: "▲", word: "very difficult" };
  if (score >= 50) return { kind: "warn", shape: "◆", word: "difficult" };
  return { kind: "ordinary", shape: "", word: "ordinary" };
}

/** An element with attributes and children; strings become text, never markup. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Changes a text only if it differs, to avoid unnecessary layout. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The same for an attribute. */
export function mark(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** A chip: shape, a hidden word for screen readers, and its text. */
export function chip(kind, text, title) {
  const { shape, word } = SHAPES[kind];
  return el("span", { class: `tag ${kind}`, title },
    el("span", { "aria-hidden": "true" }, shape), el("span", { class: "hidden" }, `${word}: `), el("span", {}, text));
}
