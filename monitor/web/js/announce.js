// Announces new alerts to screen readers, and by a short tone if it is switched on.

import { agentName, kindOf, SHAPES } from "./text.js";

const PAUSE_MS = 2500;
const MOST = 3;

export class Announcer {
  #waiting = [];
  #timer = null;

  constructor(region, button) {
    this.region = region;
    this.sound = new Sound(button);
  }

  /** Takes new alerts; several in quick succession are announced together. */
  tell(news) {
    if (!news.length) return;
    this.sound.play(news.some(({ alert }) => kindOf(alert) === "critical"));
    this.#waiting.push(...news.map(({ call, alert }) => `${agentName(call)}: ${SHAPES[kindOf(alert)].word}, ${alert.title}`));
    this.#timer ??= setTimeout(() => this.#say(), 100);
  }

  #say() {
    const said = this.#waiting.splice(0);
    const more = said.length - MOST;
    this.region.textContent = said.slice(0, MOST).join(". ") + (more > 0 ? `. And ${more} more alerts` : "");
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#waiting.length) this.#say();
    }, PAUSE_MS);
  }
}

/** A tone of two notes; off until switched on, and at most once a second. */
class Sound {
  #context = null;
  #last = -Infinity;

  constructor(button) {
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      button.title = `Sound is ${on ? "on" : "off"}`;
      if (on) {
        this.#context = new AudioContext();
        this.play(false);
      } else {
        this.#context?.close();
        this.#context = null;
      }
    });
  }

  play(grave) {
    const context = this.#context;
    if (!context || context.currentTime - this.#last < 1) return;
    this.#last = context.currentTime;
    (grave ? [784, 587] : [587, 659]).forEach((hertz, n) => this.#note(hertz, context.currentTime + n * 0.16));
  }

  #note(hertz, at) {
    const tone = this.#context.createOscillator(), volume = this.#context.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.08, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.3);
    tone.connect(volume).connect(this.#context.destination);
    tone.start(at);
    tone.stop(at + 0.32);
  }
}
