/** Beds lie below speech's consonants, so they are drawn at half of the final rate. */
export const bedRate = 24_000;

/**
 * A stretch of stereo that is repeated: what sounds past its end is heard at its beginning, so it has no seam.
 */
export interface LoopCanvas {
  left: Float32Array;
  right: Float32Array;
}

export interface Note {
  /** MIDI number; 69 is 440 Hz. */
  pitch: number;
  startSeconds: number;
  seconds: number;
  /** Amplitude, full scale = 1. */
  level: number;
  /** -1 left to 1 right. */
  pan: number;
}

export function createCanvas(seconds: number): LoopCanvas {
  const length = Math.round(seconds * bedRate);
  return { left: new Float32Array(length), right: new Float32Array(length) };
}

/**
 * A soft sustained tone: one voice in the middle, weaker ones a few cents off on each side, so that it moves
 * and is wide, yet does not vanish when both sides are added.
 */
export function drawPad(canvas: LoopCanvas, note: Note, attackSeconds: number, releaseSeconds: number): void {
  const length = note.seconds + releaseSeconds;
  const swell = (t: number) => eased(t / attackSeconds) * eased((length - t) / releaseSeconds);
  const voice = (target: Float32Array, cents: number, gain: number, partials: number) => {
    for (let partial = 1; partial <= partials; partial += 1) {
      const hertz = partial * hertzOf(note.pitch + cents / 100);
      const level = (note.level * gain) / partial ** 1.35;
      addTone(target, { ...note, hertz, level, phase: partial * (note.pitch + 2 * cents) }, length, swell);
    }
  };
  const [left, right] = panned(note.pan);
  // Below, two pitches that differ by cents beat too slowly and too deeply.
  const isLow = note.pitch < 45;
  for (const [target, gain, side] of [
    [canvas.left, left, -4.5],
    [canvas.right, right, 4.5],
  ] as const) {
    voice(target, 0, isLow ? gain : 0.8 * gain, 5);
    if (!isLow) voice(target, side, 0.45 * gain, 3);
  }
}

/** A felted piano string or a wooden bar: struck softly, its overtones die first. */
export function drawPluck(canvas: LoopCanvas, note: Note, timbre: 'felt' | 'wood'): void {
  const partials =
    timbre === 'felt'
      ? [1, 0.42, 0.2, 0.09, 0.05].map((level, n) => ({ ratio: (n + 1) * (1 + 0.0004 * n * n), level }))
      : [
          { ratio: 1, level: 1 },
          { ratio: 3.93, level: 0.16 },
          { ratio: 9.2, level: 0.03 },
        ];
  const decay = (timbre === 'felt' ? 1.5 : 3.4) * 2 ** ((note.pitch - 60) / 24);
  const attackSeconds = timbre === 'felt' ? 0.012 : 0.004;
  const [left, right] = panned(note.pan);
  for (const [index, { ratio, level }] of partials.entries()) {
    const rate = decay * (1 + 0.9 * index);
    const length = Math.min(note.seconds, 5 / rate);
    const shape = (t: number) => eased(t / attackSeconds) * Math.exp(-rate * t) * eased((length - t) / 0.08);
    const tone = { ...note, hertz: ratio * hertzOf(note.pitch), phase: 0 };
    addTone(canvas.left, { ...tone, level: note.level * level * left }, length, shape);
    addTone(canvas.right, { ...tone, level: note.level * level * right, phase: 0.15 * index }, length, shape);
  }
}

/** A round bass without an edge. */
export function drawBass(canvas: LoopCanvas, note: Note): void {
  const length = note.seconds;
  const shape = (t: number) => eased(t / 0.03) * Math.exp(-0.9 * t) * eased((length - t) / 0.12);
  for (const [index, level] of [1, 0.45, 0.22, 0.1].entries()) {
    const tone = { ...note, hertz: (index + 1) * hertzOf(note.pitch), level: note.level * level, phase: 0 };
    for (const target of [canvas.left, canvas.right]) addTone(target, tone, length, shape);
  }
}

/** A soft low drum: a tone that falls from 95 to 48 Hz. */
export function drawDrum(canvas: LoopCanvas, startSeconds: number, level: number): void {
  const start = Math.round(startSeconds * bedRate);
  const count = Math.round(0.32 * bedRate);
  for (let n = 0; n < count; n += 1) {
    const t = n / bedRate;
    const turns = 48 * t + (47 / 28) * (1 - Math.exp(-28 * t));
    const value = level * eased(t / 0.006) * Math.exp(-11 * t) * eased((0.32 - t) / 0.1) * sine(turns);
    addAt(canvas.left, start + n, value);
    addAt(canvas.right, start + n, value);
  }
}

interface Tone {
  startSeconds: number;
  hertz: number;
  level: number;
  phase: number;
}

/** The envelope is taken every 2 ms and drawn straight between; the tone turns by one rotation a sample. */
function addTone(target: Float32Array, tone: Tone, seconds: number, envelope: (t: number) => number): void {
  if (tone.hertz > 9_000) return;
  const step = 48;
  const count = Math.round(seconds * bedRate);
  const turn = (2 * Math.PI * tone.hertz) / bedRate;
  const [cosine, sineOfTurn] = [Math.cos(turn), Math.sin(turn)];
  let [re, im] = [Math.cos(tone.phase), Math.sin(tone.phase)];
  let at = Math.round(tone.startSeconds * bedRate) % target.length;
  if (at < 0) at += target.length;
  let from = tone.level * envelope(0);
  for (let n = 0; n < count; n += step) {
    const length = Math.min(step, count - n);
    const to = tone.level * envelope((n + length) / bedRate);
    const slope = (to - from) / length;
    for (let k = 0; k < length; k += 1) {
      target[at] = (target[at] ?? 0) + im * (from + slope * k);
      const next = re * cosine - im * sineOfTurn;
      im = re * sineOfTurn + im * cosine;
      re = next;
      at = at + 1 === target.length ? 0 : at + 1;
    }
    from = to;
  }
}

function addAt(target: Float32Array, at: number, value: number): void {
  const place = ((at % target.length) + target.length) % target.length;
  target[place] = (target[place] ?? 0) + value;
}

const hertzOf = (pitch: number) => 440 * 2 ** ((pitch - 69) / 12);
const sine = (turns: number) => Math.sin(2 * Math.PI * turns);

/** From 0 to 1 without a corner at either end. */
function eased(share: number): number {
  const x = Math.min(1, Math.max(0, share));
  return x * x * (3 - 2 * x);
}

/** Gains of both sides for an even power. */
function panned(pan: number): [left: number, right: number] {
  const angle = ((pan + 1) * Math.PI) / 4;
  return [Math.cos(angle) * Math.SQRT2, Math.sin(angle) * Math.SQRT2];
}
