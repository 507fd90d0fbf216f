// Sends a short message to the agent, and shows it as delivered when the call's core confirms it.

import { clock, el, mark } from "./text.js";

const LONGEST = 200;
const LATE_MS = 4000;

export class MessageBox {
  #waiting = null;
  #late = null;

  constructor(send) {
    this.send = send;
    this.input = el("input", { type: "text", maxlength: String(LONGEST), autocomplete: "off", "aria-label": "Message to the agent", placeholder: "A short word to the agent" });
    this.button = el("button", { type: "submit" }, "Send");
    this.status = el("p", { role: "status" });
    this.form = el("form", { class: "message" }, this.input, this.button, this.status);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Shows the recipient. */
  address(name) {
    mark(this.input, "placeholder", name ? `A short word to ${name}` : "A short word to the agent");
  }

  /** Handles a `told` event, which may confirm this message. */
  told(told) {
    if (told.kind !== "message" || this.#waiting === null || told.text !== this.#waiting) return;
    this.#settle();
    this.input.value = "";
    this.#say(`✓ Arrived at ${clock(told.at)}: “${told.text}”`, "arrived");
  }

  /** Handles a refusal of the hub; returns whether it concerned this message. */
  refused(reason) {
    if (this.#waiting === null) return false;
    this.#settle();
    this.#say(`Not sent: ${reason}`, "failed");
    return true;
  }

  /** Disables the form when the call has ended. */
  end() {
    this.#settle();
    this.input.disabled = this.button.disabled = true;
    this.#say("The call has ended.");
  }

  #submit() {
    const text = this.input.value.trim();
    if (!text || this.#waiting !== null) return;
    if (!this.send({ kind: "message", text })) return this.#say("Not sent: there is no connection just now.", "failed");
    this.#waiting = text;
    this.button.disabled = true;
    this.#say("On its way …");
    this.#late = setTimeout(() => {
      this.#settle();
      this.#say("The call's monitor has not confirmed it yet; it shows above when it arrives.", "failed");
    }, LATE_MS);
  }

  #settle() {
    clearTimeout(this.#late);
    this.#waiting = null;
    this.button.disabled = this.input.disabled;
  }

  #say(text, name = "") {
    this.status.className = name;
    this.status.textContent = text;
  }
}
