// Both voices against their baselines over the last ten minutes, four values a second. No side effects.

export const PER_SECOND = 4;
export const SECONDS = 600;
const SIZE = PER_SECOND * SECONDS;
/** Longest gap in quarters of a second that a line bridges, since values are dropped for slow listeners. */
const BRIDGED = 4;

class Ring {
  #values = new Float32Array(SIZE).fill(NaN);
  #last = -1;

  put(bin, value) {
    if (bin <= this.#last - SIZE) return;
    const before = this.at(this.#last), steps = bin - this.#last;
    for (let gone = Math.max(this.#last + 1, bin - SIZE + 1); gone < bin; gone++) {
      this.#values[gone % SIZE] = steps <= BRIDGED ? before + ((value - before) * (steps - (bin - gone))) / steps : NaN;
    }
    this.#last = Math.max(this.#last, bin);
    this.#values[bin % SIZE] = value;
  }

  at(bin) {
    return bin > this.#last || bin <= this.#last - SIZE || bin < 0 ? NaN : this.#values[bin % SIZE];
  }
}

/** Level (dB) and pitch (semitones) of both sides against their baselines, by call time. */
export class Voices {
  #rings = {};
  newest = {};
  changed = 0;

  /** Takes one `prosody` event. */
  put({ channel, at, level_db, pitch_st }) {
    const bin = Math.floor(at * PER_SECOND);
    this.#ring(channel, "level").put(bin, level_db ?? NaN);
    this.#ring(channel, "pitch").put(bin, pitch_st ?? NaN);
    if (level_db !== null && level_db !== undefined) this.newest[channel] = { at, level: level_db, pitch: pitch_st };
    this.changed++;
  }

  /** The value in a quarter of a second, or NaN if that side was silent or has no baseline yet. */
  at(channel, measure, bin) {
    return this.#rings[channel + measure]?.at(bin) ?? NaN;
  }

  /** Columns for a plot between two times: [times, agent, caller], with null for missing values. */
  columns(measure, from, to) {
    const first = Math.max(0, Math.floor(from * PER_SECOND));
    const last = Math.floor(to * PER_SECOND);
    const times = [], agent = [], caller = [];
    for (let bin = first; bin <= last; bin++) {
      times.push(bin / PER_SECOND);
      agent.push(orNull(this.at("agent", measure, bin)));
      caller.push(orNull(this.at("caller", measure, bin)));
    }
    return [times, agent, caller];
  }

  #ring(channel, measure) {
    return (this.#rings[channel + measure] ??= new Ring());
  }
}

const orNull = (value) => (Number.isNaN(value) ? null : value);
