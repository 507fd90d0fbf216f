// Words and elements. Everything that was said on a call reaches the page through `textContent` only.

import { named } from "./names.js";

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

/** What names a call where the agent is not known. */
export const agentName = (call) => call.agent || "Unnamed agent";

/** The short form of a call's id, as people say it: its end. */
export const shortId = (id) => (id.length > 8 ? id.slice(-4) : id);

export const SIDES = { agent: "Agent", caller: "Caller" };

/** Each severity has a shape and a word beside its colour. */
export const SHAPES = {
  info: { shape: "●", word: "hint" },
  warn: { shape: "◆", word: "warning" },
  critical: { shape: "▲", word: "critical" },
  credit: { shape: "✓", word: "well done" },
};

const RANKS = { credit: 0, info: 1, warn: 2, critical: 3 };

/** Credit is a kind of its own: a rule that ends in `.credit` says that something went well. */
export const kindOf = (alert) => (alert.rule.endsWith(".credit") ? "credit" : alert.level);

export const rank = (alert) => RANKS[kindOf(alert)] ?? 0;

const number = (value) => String(Math.round(value * 100) / 100);

/** A measured value with its unit: "3 times", "2.5 s", "70 points". */
export function measured(value, unit) {
  if (value === null || value === undefined) return "";
  if (unit === "times" && value === 1) return "once";
  return unit ? `${number(value)} ${unit}` : number(value);
}

/** The few words of a chip: the rule, and how much of it. */
export function chipText(alert) {
  const { value, unit } = alert.evidence;
  const name = named(alert.rule);
  if (value === null || value === undefined) return name;
  if (unit === "times") return value > 1 ? `${name} ×${number(value)}` : name;
  if (unit === "points") return `${name} ${Math.round(value)}`;
  return unit ? `${name}, ${Math.round(value * 10) / 10} ${unit}` : name;
}

/** The difficulty's kind, shape and word. */
export function hardness(score) {
  if (score >= 70) return { kind: "critical", shape: "▲", word: "very difficult" };
  if (score >= 50) return { kind: "warn", shape: "◆", word: "difficult" };
  return { kind: "ordinary", shape: "", word: "ordinary" };
}

/** Why an alert opened, without the bar that its evidence names again. */
export const reason = (alert) => alert.why.replace(BAR, "");

/** That bar: "alert from 3 times", "alert below twice". */
export const bar = (alert) => alert.why.match(BAR)?.[1] ?? null;

const BAR = / \((alert (?:from|below) [^)]*)\)/;

/** An element with attributes and children; strings become text, never markup. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Changes a text only where it differs, so that nothing is laid out for nothing. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The same for an attribute. */
export function mark(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** A chip: shape, hidden word for those who listen, and its text. */
export function chip(kind, text, title) {
  const { shape, word } = SHAPES[kind];
  return el("span", { class: `tag ${kind}`, title },
    el("span", { "aria-hidden": "true" }, shape), el("span", { class: "hidden" }, `${word}: `), el("span", {}, text));
}
