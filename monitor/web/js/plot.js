// Plots level and pitch of both voices against their baselines with uPlot; alerts are marked where they opened.

import { clock, kindOf, SHAPES, signed } from "./text.js";
import { onTheme, palette } from "./theme.js";

const PANELS = [
  { measure: "level", label: "dB", name: "Level", least: 6, normal: 2 },
  { measure: "pitch", label: "st", name: "Pitch", least: 4, normal: 1 },
];
/** Sizes in rem, so that a plot scales with the page's text. */
const HEIGHT = 5.4, RULER = 1.3, LABELS = 3.3, WORDS = 0.7;
/** Space above the first panel for the shapes of the alerts. */
const SHAPES_ROOM = 0.9;

export class Plot {
  #plots = [];
  #alerts = [];
  #width = 0;
  #stale = true;

  constructor(box) {
    this.box = box;
    this.resize = new ResizeObserver(() => (this.#stale = true));
    this.resize.observe(box);
    this.forget = onTheme(() => (this.#stale = true));
  }

  /** Draws the last `seconds` up to `now` (seconds of the call). */
  draw(voices, alerts, now, seconds) {
    this.#alerts = alerts;
    if (this.#stale || this.box.clientWidth !== this.#width) this.#build();
    const to = Math.max(now, 20), from = Math.max(0, to - seconds);
    this.#plots.forEach((plot, n) => {
      plot.setData(voices.columns(PANELS[n].measure, from, to), false);
      plot.setScale("x", { min: from, max: Math.max(to, from + Math.min(seconds, 60)) });
    });
  }

  /** Removes the plot from the page. */
  remove() {
    this.resize.disconnect();
    for (const plot of this.#plots) plot.destroy();
    this.#plots = [];
  }

  #build() {
    for (const plot of this.#plots) plot.destroy();
    this.#stale = false;
    this.#width = this.box.clientWidth;
    const sync = { key: "voices", setSeries: false };
    this.#plots = PANELS.map((panel, n) => {
      const last = n === PANELS.length - 1;
      return new uPlot(this.#options(panel, last, sync), [[], [], []], this.box);
    });
  }

  #options(panel, last, sync) {
    const colour = palette(), rem = remInPixels();
    const axis = { stroke: colour.ink3, grid: { show: false }, ticks: { show: false }, font: `${WORDS * rem}px system-ui, sans-serif` };
    const line = (name) => ({ label: name, stroke: colour[name], width: 1.75, points: { show: false }, spanGaps: false });
    return {
      width: this.#width,
      height: (HEIGHT + (last ? RULER : SHAPES_ROOM)) * rem,
      padding: [(last ? 0.4 : SHAPES_ROOM) * rem, 1.1 * rem, 0, 0],
      legend: { show: false },
      cursor: { sync, y: false, drag: { setScale: false, x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: false }, y: { range: (_, low, high) => around(low, high, panel.least) } },
      axes: [
        { ...axis, show: last, size: RULER * rem, gap: 4, space: 4.5 * rem, values: (_, ticks) => ticks.map(clock) },
        { ...axis, size: LABELS * rem, gap: 4, splits: (u) => ticks(u.scales.y.max), values: (_, found) => found.map((v) => (v === 0 ? "normal" : `${signed(v, 0)} ${panel.label}`)) },
      ],
      series: [{}, line("agent"), line("caller")],
      hooks: {
        drawClear: [(u) => this.#ground(u, panel)],
        draw: [(u) => this.#marks(u, panel === PANELS[0])],
      },
    };
  }

  /** Draws the band of normal values, with its middle. */
  #ground(u, panel) {
    const { left, width } = u.bbox;
    const colour = palette();
    const top = u.valToPos(panel.normal, "y", true), bottom = u.valToPos(-panel.normal, "y", true);
    u.ctx.save();
    u.ctx.fillStyle = colour.normal;
    u.ctx.fillRect(left, top, width, bottom - top);
    u.ctx.fillStyle = colour.line;
    u.ctx.fillRect(left, u.valToPos(0, "y", true), width, devicePixelRatio);
    u.ctx.restore();
  }

  #marks(u, shapes) {
    const { left, top, width, height } = u.bbox;
    const colour = palette();
    const named = { praise: colour.ok, info: colour.info, warn: colour.warn, critical: colour.crit };
    u.ctx.save();
    u.ctx.font = `${WORDS * remInPixels() * devicePixelRatio}px system-ui, sans-serif`;
    u.ctx.textAlign = "center";
    for (const alert of this.#alerts) {
      const x = u.valToPos(alert.at, "x", true);
      if (x < left || x > left + width) continue;
      u.ctx.fillStyle = u.ctx.strokeStyle = named[kindOf(alert)];
      u.ctx.globalAlpha = alert.closed ? 0.25 : 0.5;
      u.ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      u.ctx.beginPath();
      u.ctx.moveTo(x, top);
      u.ctx.lineTo(x, top + height);
      u.ctx.stroke();
      u.ctx.globalAlpha = alert.closed ? 0.6 : 1;
      if (shapes) u.ctx.fillText(SHAPES[kindOf(alert)].shape, x, top - 3 * devicePixelRatio);
    }
    u.ctx.restore();
  }
}

const remInPixels = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

/** A scale centred on the baseline, so that up always means louder or higher than normal. */
function around(low, high, least) {
  const most = Math.max(least, Math.abs(low ?? 0), Math.abs(high ?? 0)) * 1.15;
  return [-most, most];
}

function ticks(most) {
  const step = [20, 10, 5, 2].find((found) => found <= most * 0.75) ?? 1;
  return [-step, 0, step];
}
