// The filter controls in the header; their values are stored in the address.

import { choices } from "./state.js";
import { filter, setFilter } from "./route.js";
import { spelled } from "./text.js";

const LISTS = ["team", "agent", "rule"];

export class Filters {
  #offered = {};
  #titles = new Map();

  constructor(form, clear, onchange) {
    this.form = form;
    this.clear = clear;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", () => {
      setFilter(Object.fromEntries(new FormData(form)));
      this.show();
      onchange();
    });
    clear.addEventListener("click", () => {
      this.reset();
      onchange();
    });
    // The agent's view can be chosen on this machine only; for others the hub applies the role of their token.
    const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
    form.querySelector("#eyes").hidden = !here;
    this.show();
  }

  /** Clears all filters. */
  reset() {
    const { order, role } = filter();
    setFilter({ order, role });
    this.show();
  }

  /** Sets the controls from the address. */
  show() {
    const set = filter();
    for (const select of this.form.querySelectorAll("select")) {
      const value = set[select.name] ?? "";
      if (value && !select.querySelector(`option[value="${CSS.escape(value)}"]`)) this.#add(select, value);
      select.value = value;
      select.classList.toggle("set", value !== "" && select.name !== "order");
    }
    this.clear.hidden = ![...LISTS, "level"].some((name) => set[name]);
  }

  /** Adds the teams, agents and rules that occur to the choices; none is removed. */
  offer(state) {
    const found = choices(state);
    this.#name(found.titles);
    for (const name of LISTS) {
      const known = (this.#offered[name] ??= new Set());
      const fresh = found[name].filter((value) => !known.has(value));
      if (!fresh.length) continue;
      fresh.forEach((value) => known.add(value));
      const select = this.form.elements[name];
      fresh.forEach((value) => [...select.options].some((option) => option.value === value) || this.#add(select, value));
    }
  }

  /** Labels rules with their titles; a rule from the address has its id until then. */
  #name(titles) {
    for (const [rule, title] of titles) {
      if (this.#titles.get(rule) === title) continue;
      this.#titles.set(rule, title);
      const option = [...this.form.elements.rule.options].find(({ value }) => value === rule);
      if (option) option.text = title;
    }
  }

  #add(select, value) {
    const option = new Option(select.name === "rule" ? (this.#titles.get(value) ?? spelled(value)) : value, value);
    const after = [...select.options].slice(1).find((other) => other.text.localeCompare(option.text) > 0);
    select.add(option, after ?? null);
  }
}
