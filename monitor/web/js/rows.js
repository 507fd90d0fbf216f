// The list of calls: one row per visible call, in order, with keyboard navigation.

import { arranged } from "./state.js";
import { linkTo } from "./route.js";
import { Row } from "./row.js";
import { onTheme } from "./theme.js";

/** Rows outside the viewport whose texts are updated in one pass. */
const UNSEEN_AT_ONCE = 20;
/** Least interval between changes of the order, so that rows do not move under the pointer. */
const ORDER_MS = 1500;

export class Rows {
  #rows = new Map();
  #order = [];
  #ordered = -Infinity;
  #arrived = 0;
  #behind = new Set();
  #size = null;

  constructor(body) {
    this.body = body;
    this.watcher = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: "120px" });
    new ResizeObserver(() => (this.#size = null)).observe(body);
    onTheme(() => (this.#size = null));
    body.addEventListener("keydown", (event) => this.#keys(event));
    body.addEventListener("focusin", (event) => this.#rove(event.target));
  }

  /** Updates the list; returns the number of rows shown. `dirty` are the calls that changed. */
  render(state, now, { filter, open, dirty, again }) {
    if (again || state.arrived !== this.#arrived || now - this.#ordered > ORDER_MS) {
      this.#arrived = state.arrived;
      this.#ordered = now;
      this.#arrange(arranged(state, filter));
    }
    for (const id of again ? this.#order : dirty) this.#behind.add(id);
    this.#measure();
    let unseen = UNSEEN_AT_ONCE;
    for (const id of this.#order) {
      const row = this.#rows.get(id), call = state.calls.get(id);
      if (!call) continue;
      if (!row.visible && (!this.#behind.has(id) || unseen-- <= 0)) continue;
      row.write(call, now, { filter, href: linkTo(id), open: id === open });
      this.#behind.delete(id);
      if (row.visible && this.#size) row.draw(call, now, this.#size);
    }
    return this.#order.length;
  }

  /** Focuses the row of a call, or the first row if the call is not shown. */
  focus(id) {
    const row = this.#rows.get(id) ?? this.#rows.get(this.#order[0]);
    row?.link.focus();
    row?.node.scrollIntoView({ block: "nearest" });
  }

  #arrange(ids) {
    const wanted = new Set(ids);
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      this.watcher.unobserve(row.node);
      row.node.remove();
      this.#rows.delete(id);
      this.#behind.delete(id);
    }
    const focused = document.activeElement;
    let place = this.body.firstElementChild;
    for (const id of ids) {
      const row = this.#rows.get(id) ?? this.#add(id);
      if (row.node === place) place = place.nextElementSibling;
      else this.body.insertBefore(row.node, place);
    }
    this.#order = ids;
    if (focused !== document.activeElement && this.body.contains(focused)) focused.focus({ preventScroll: true });
    this.#keepOneTabStop();
  }

  #add(id) {
    const row = new Row(id);
    this.#rows.set(id, row);
    this.#behind.add(id);
    this.watcher.observe(row.node);
    return row;
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const row = this.#rows.get(target.dataset.call);
      if (row) row.visible = isIntersecting;
    }
  }

  /** All rows have the same layout, so a visible one gives the size of every drawing. */
  #measure() {
    if (this.#size) return;
    const row = this.#order.map((id) => this.#rows.get(id)).find((found) => found.visible && found.band.clientWidth);
    if (row) this.#size = { band: row.band.clientWidth, voice: row.voices.clientWidth, height: row.band.clientHeight, tall: row.voices.clientHeight };
  }

  #keepOneTabStop() {
    const links = this.#order.map((id) => this.#rows.get(id).link);
    if (links.length && !links.some((link) => link.tabIndex === 0)) links[0].tabIndex = 0;
  }

  #rove(target) {
    if (!target.matches?.("a")) return;
    for (const row of this.#rows.values()) row.link.tabIndex = row.link === target ? 0 : -1;
  }

  #keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = this.#order.indexOf(event.target.closest("[data-call]")?.dataset.call);
    const next = Math.max(0, Math.min(this.#order.length - 1, at + step));
    this.focus(this.#order[next]);
  }
}
