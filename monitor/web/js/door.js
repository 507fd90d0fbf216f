// The access token of this page, and the message in an empty list.

import { el } from "./text.js";
import { takeToken } from "./route.js";

const KEY = "monitor.token";
let current = null;

/** The token in use: from the address, or given earlier in this tab. */
export function token() {
  return current;
}

/** Reads the token from the address, or the one stored in this tab. */
export function recall() {
  const given = takeToken();
  if (given !== null) remember(given);
  else current = sessionStorage.getItem(KEY);
}

function remember(given) {
  current = given.trim() || null;
  if (current) sessionStorage.setItem(KEY, current);
  else sessionStorage.removeItem(KEY);
}

const SVG = "http://www.w3.org/2000/svg";

function glyph() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 64 32");
  svg.setAttribute("class", "glyph");
  svg.setAttribute("aria-hidden", "true");
  for (const [x, y, width] of [[2, 6, 16], [22, 6, 8], [50, 6, 10], [16, 18, 10], [32, 18, 20]]) {
    const bar = document.createElementNS(SVG, "rect");
    Object.entries({ x, y, width, height: 8, rx: 2, fill: "currentColor" }).forEach(([name, value]) => bar.setAttribute(name, value));
    svg.append(bar);
  }
  return svg;
}

/** Shows the message of a list without rows. `which`: connecting, empty, filtered, refused, waiting or none. */
export class ListState {
  #shown = "";

  constructor(box, { onclear, ontoken }) {
    Object.assign(this, { box, onclear, ontoken });
  }

  show(which, reason = "") {
    const wanted = `${which}|${reason}`;
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    this.box.dataset.state = which;
    this.box.replaceChildren(...(this[`_${which}`]?.(reason) ?? []));
  }

  _connecting() {
    return [glyph(), el("p", { class: "breathe" }, "Looking for calls …")];
  }

  _waiting() {
    return [glyph(), el("h2", {}, "The hub does not answer"), el("p", {}, "The page tries again by itself and shows every call that goes on as soon as the hub is back.")];
  }

  _empty() {
    return [glyph(), el("h2", {}, "No calls just now"), el("p", {}, "A row appears here by itself as soon as a call begins."),
      el("p", { class: "sub" }, "To see one: ", el("code", {}, "monitor demo"), " plays a recorded call with this page open, and ", el("code", {}, "monitor live --uplink"), " sends the calls of a headset here.")];
  }

  _filtered() {
    const clear = el("button", { type: "button" }, "Show every call");
    clear.addEventListener("click", this.onclear);
    return [glyph(), el("h2", {}, "No call fits these filters"), el("p", {}, "Calls go on, but none of them is what the filters ask for."), clear];
  }

  _refused(reason) {
    const input = el("input", { type: "password", id: "token", autocomplete: "off", required: true, spellcheck: "false" });
    const form = el("form", {}, el("label", { for: "token", class: "hidden" }, "Token"), input, el("button", { type: "submit" }, "Enter"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      remember(input.value);
      this.#shown = "";
      this.ontoken();
    });
    return [glyph(), el("h2", {}, "A token is needed"), el("p", {}, reason || "This hub shows its calls to people who have a token."), form,
      el("p", { class: "sub" }, "Ask whoever runs the hub for one; it is made with ", el("code", {}, "monitor token"), ". It is kept in this tab only.")];
  }
}
