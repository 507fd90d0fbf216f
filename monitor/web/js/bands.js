// The two small drawings of a row: speech in the last minute, and both voices against their baselines.

import { isRaised, secondsOf, stretches } from "./state.js";
import { PER_SECOND } from "./voices.js";
import { palette } from "./theme.js";

const SECONDS = 60;
/** The values that fill half a lane, in dB and semitones. The rules alone decide whether a voice is raised. */
const MOST_LEVEL = 12, MOST_PITCH = 9;

/** Sizes a canvas for the screen's resolution; returns its context, scaled to CSS pixels. */
export function fit(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  const w = Math.round(width * scale), h = Math.round(height * scale);
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const pen = (canvas.pen ??= canvas.getContext("2d"));
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** Draws the speech of the last minute: agent above, caller below, overlaps between them. */
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

/** The overlaps of two lists of intervals. */
export function together(one, other) {
  const found = [];
  for (const [a, b] of one) {
    for (const [c, d] of other) if (Math.min(b, d) > Math.max(a, c)) found.push([Math.max(a, c), Math.min(b, d)]);
  }
  return found;
}

/** Draws both voices against their baselines: agent above, caller below; level filled, pitch as a line. */
export function drawVoices(canvas, width, height, call, now) {
  const pen = fit(canvas, width, height);
  const lane = height / 2 - 1;
  const last = Math.floor(secondsOf(call, now) * PER_SECOND);
  drawVoice(pen, call, "agent", last, width, 0, lane);
  drawVoice(pen, call, "caller", last, width, height - lane, lane);
}

const clipped = (value, most) => Math.max(-1, Math.min(1, value / most));

function drawVoice(pen, call, side, last, width, top, height) {
  const colour = palette();
  const middle = top + height / 2, half = height / 2, bins = SECONDS * PER_SECOND, step = width / bins;
  pen.fillStyle = colour.line;
  pen.fillRect(0, middle - 0.5, width, 1);
  const calm = new Path2D(), raised = new Path2D(), line = new Path2D(), high = new Path2D();
  let before = null;
  for (let n = 0; n <= bins; n++) {
    const x = n * step;
    const bin = last - bins + n, up = isRaised(call, side, bin / PER_SECOND);
    const level = call.voices.at(side, "level", bin), pitch = call.voices.at(side, "pitch", bin);
    if (!Number.isNaN(level)) {
      const reach = clipped(level, MOST_LEVEL) * half;
      (up ? raised : calm).rect(x - step / 2, middle, step + 0.4, -reach);
    }
    if (Number.isNaN(pitch)) before = null;
    else {
      const y = middle - clipped(pitch, MOST_PITCH) * half, path = up ? high : line;
      path.moveTo(before?.x ?? x - step / 2, before?.y ?? y);
      path.lineTo(x, y);
      before = { x, y };
    }
  }
  pen.globalAlpha = 0.45;
  pen.fillStyle = colour[side];
  pen.fill(calm);
  pen.globalAlpha = 0.7;
  pen.fillStyle = colour.both;
  pen.fill(raised);
  pen.globalAlpha = 1;
  pen.lineWidth = 1.5;
  pen.lineCap = "round";
  pen.strokeStyle = colour[side];
  pen.stroke(line);
  pen.strokeStyle = colour.both;
  pen.stroke(high);
}
