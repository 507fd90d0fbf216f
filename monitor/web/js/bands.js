// The two small drawings of a row: who spoke in the last minute, and how both voices stood against normal.

import { secondsOf, stretches } from "./state.js";
import { PER_SECOND } from "./voices.js";
import { palette } from "./theme.js";

const SECONDS = 60;
/** What fills a lane, and what still counts as normal: dB and semitones. */
const LANES = { level: { most: 10, normal: 2 }, pitch: { most: 8, normal: 1.5 } };

/** Makes a canvas as sharp as the screen; gives its context in CSS pixels. */
export function fit(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  const w = Math.round(width * scale), h = Math.round(height * scale);
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const pen = (canvas.pen ??= canvas.getContext("2d"));
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** Speech of the last minute: agent above, caller below, both at once marked between them. */
export function drawBand(canvas, width, height, call, now) {
  const pen = fit(canvas, width, height);
  const at = secondsOf(call, now);
  const x = (time) => Math.max(0, width * (1 - (at - time) / SECONDS));
  const colour = palette();
  const lane = height * 0.4;
  pen.fillStyle = colour.line;
  const known = x(Math.max(0, call.seen ?? at));
  pen.fillRect(known, height / 2 - 0.5, width - known, 1);
  const sides = { agent: stretches(call, "agent", now), caller: stretches(call, "caller", now) };
  for (const [side, top] of [["agent", 0], ["caller", height - lane]]) {
    pen.fillStyle = colour[side];
    pen.beginPath();
    for (const [start, end] of sides[side]) pen.roundRect(x(start), top, Math.max(1.5, x(end) - x(start)), lane, 2);
    pen.fill();
  }
  pen.fillStyle = colour.both;
  for (const [start, end] of together(sides.agent, sides.caller)) {
    pen.fillRect(x(start), lane - 1, Math.max(1.5, x(end) - x(start)), height - 2 * lane + 2);
  }
}

/** Where two lists of stretches overlap. */
export function together(one, other) {
  const found = [];
  for (const [a, b] of one) {
    for (const [c, d] of other) if (Math.min(b, d) > Math.max(a, c)) found.push([Math.max(a, c), Math.min(b, d)]);
  }
  return found;
}

/** Level above, pitch below, each around its own normal (the shaded strip). */
export function drawVoices(canvas, width, height, call, now) {
  const pen = fit(canvas, width, height);
  const lane = height / 2 - 1;
  const last = Math.floor(secondsOf(call, now) * PER_SECOND);
  drawLane(pen, call, "level", last, width, 0, lane);
  drawLane(pen, call, "pitch", last, width, height - lane, lane);
}

function drawLane(pen, call, measure, last, width, top, height) {
  const { most, normal } = LANES[measure];
  const colour = palette();
  const middle = top + height / 2;
  pen.fillStyle = colour.normal;
  const strip = (height * normal) / most;
  pen.fillRect(0, middle - strip / 2, width, strip);
  pen.lineWidth = 1.5;
  pen.lineJoin = "round";
  for (const side of ["agent", "caller"]) {
    pen.strokeStyle = colour[side];
    pen.beginPath();
    let drawing = false;
    for (let n = 0, bins = SECONDS * PER_SECOND; n <= bins; n++) {
      const value = call.voices.at(side, measure, last - bins + n);
      if (Number.isNaN(value)) drawing = false;
      else {
        const y = middle - (Math.max(-1, Math.min(1, value / most)) * height) / 2;
        if (drawing) pen.lineTo((width * n) / bins, y);
        else pen.moveTo((width * n) / bins, y);
        drawing = true;
      }
    }
    pen.stroke();
  }
}
