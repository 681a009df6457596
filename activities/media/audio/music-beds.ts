import type { BuiltinMusic } from '../../../workflows/contract/options.js';
import { seededRandom } from '../pictures/random.js';
import { createCanvas, drawBass, drawDrum, drawPad, drawPluck, type LoopCanvas } from './bed-instruments.js';

export interface MusicBed {
  /** The notes, dry; they repeat without a seam. */
  canvas: LoopCanvas;
  /** ffmpeg filters that take the edge off. */
  filters: string;
  /** How long the room rings, and its power against the notes. */
  hall: { seconds: number; level: number };
}

export function drawMusicBed(name: BuiltinMusic): MusicBed {
  switch (name) {
    case 'calm':
      return {
        canvas: drawCalm(),
        filters: 'highpass=f=60,lowpass=f=4500:p=1',
        hall: { seconds: 3.2, level: 0.3 },
      };
    case 'bright':
      return {
        canvas: drawBright(),
        filters: 'highpass=f=60,lowpass=f=8000:p=1',
        hall: { seconds: 1.8, level: 0.2 },
      };
    case 'pulse':
      return {
        canvas: drawPulse(),
        filters: 'highpass=f=45,lowpass=f=6000:p=1',
        hall: { seconds: 2.2, level: 0.18 },
      };
  }
}

/** Shares from 0 to 1 that look like chance, the same on every machine. */
function chance(name: BuiltinMusic): () => number {
  const random = seededRandom('bed', name);
  return () => random.between(0, 1);
}

type Chord = [bass: number, ...notes: number[]];

/** Slow swells and a few felted notes, never on a beat. C major ninth, A minor seventh, F major ninth … */
function drawCalm(): LoopCanvas {
  const chords: Chord[] = [
    [36, 52, 55, 59, 62],
    [33, 52, 55, 60, 64],
    [41, 53, 57, 60, 67],
    [43, 50, 55, 60, 62],
    [36, 52, 55, 59, 64],
    [40, 52, 55, 59, 62],
    [41, 53, 57, 60, 64],
    [43, 53, 57, 59, 62],
  ];
  const bar = 6;
  const canvas = createCanvas(chords.length * bar);
  const random = chance('calm');
  for (const [index, [bass, ...notes]] of chords.entries()) {
    const startSeconds = index * bar;
    drawPad(canvas, { pitch: bass, startSeconds, seconds: bar, level: 0.03, pan: 0 }, 1.8, 2.6);
    for (const [n, pitch] of notes.entries()) {
      const pan = ((n % 2) * 2 - 1) * 0.35;
      drawPad(
        canvas,
        { pitch, startSeconds: startSeconds + 0.15 * n, seconds: bar, level: 0.022, pan },
        2.4,
        3,
      );
    }
    for (const place of [0.9, 2.4, 3.15, 4.65].filter(() => random() < 0.62)) {
      const pitch = (notes[Math.floor(random() * notes.length)] ?? 60) + 12;
      const at = startSeconds + place + (random() - 0.5) * 0.04;
      const level = 0.05 + 0.025 * random();
      drawPluck(canvas, { pitch, startSeconds: at, seconds: 4, level, pan: random() - 0.5 }, 'felt');
    }
  }
  return canvas;
}

/** A light turning figure at 100 beats a minute over D, A, B minor and G. */
function drawBright(): LoopCanvas {
  const chords: Chord[] = [
    [38, 54, 57, 62, 66],
    [33, 52, 57, 61, 64],
    [35, 54, 59, 62, 66],
    [31, 55, 59, 62, 67],
    [38, 54, 57, 62, 69],
    [37, 52, 57, 61, 64],
    [40, 55, 59, 62, 67],
    [33, 52, 57, 59, 64],
  ];
  const figures = [
    [0, 2, 1, 3, 2, 1, 3, 2],
    [0, 1, 3, 2, 1, 2, 3, 1],
  ];
  const beat = 0.6;
  const bar = 4 * beat;
  const bars = 2 * chords.length;
  const canvas = createCanvas(bars * bar);
  const random = chance('bright');
  for (let index = 0; index < bars; index += 1) {
    const [bass, ...notes] = chords[index % chords.length] ?? [38];
    const startSeconds = index * bar;
    for (const [n, pitch] of notes.entries()) {
      const pan = ((n % 2) * 2 - 1) * 0.4;
      drawPad(canvas, { pitch, startSeconds, seconds: bar, level: 0.014, pan }, 0.9, 1.4);
    }
    for (const at of [0, 2.5]) {
      const length = at === 0 ? 2.3 * beat : 1.4 * beat;
      drawBass(canvas, {
        pitch: bass,
        startSeconds: startSeconds + at * beat,
        seconds: length,
        level: 0.11,
        pan: 0,
      });
    }
    const figure = figures[index >= chords.length ? 1 : 0] ?? [];
    for (const [step, n] of figure.entries()) {
      if (random() < 0.08) continue;
      const pitch = (notes[n] ?? 62) + 12;
      const at = startSeconds + (step * beat) / 2 + (random() - 0.5) * 0.012;
      const accent = step % 4 === 0 ? 1 : 0.72;
      const level = 0.13 * accent * (0.85 + 0.3 * random());
      const timbre = index >= chords.length && step % 4 === 0 ? 'felt' : 'wood';
      drawPluck(
        canvas,
        { pitch, startSeconds: at, seconds: 1.6, level, pan: 0.5 * Math.sin(step + index) },
        timbre,
      );
    }
  }
  return canvas;
}

/** A low even beat at 96 a minute under A minor, F, C and E minor; steady, not urgent. */
function drawPulse(): LoopCanvas {
  const chords: Chord[] = [
    [33, 57, 60, 64],
    [29, 57, 60, 65],
    [36, 55, 60, 64],
    [28, 55, 59, 64],
    [33, 57, 60, 67],
    [29, 57, 60, 64],
    [38, 57, 62, 65],
    [40, 56, 59, 64],
  ];
  const beat = 0.625;
  const bar = 4 * beat;
  const canvas = createCanvas(2 * chords.length * bar);
  const random = chance('pulse');
  for (let index = 0; index < 2 * chords.length; index += 1) {
    const [bass, ...notes] = chords[index >> 1] ?? [33];
    const startSeconds = index * bar;
    if (index % 2 === 0) {
      for (const [n, pitch] of notes.entries()) {
        drawPad(canvas, { pitch, startSeconds, seconds: 2 * bar, level: 0.02, pan: 0.6 * (n - 1) }, 1.6, 2);
      }
    }
    for (let step = 0; step < 8; step += 1) {
      const at = startSeconds + (step * beat) / 2;
      if (step % 2 === 0) drawDrum(canvas, at, step === 0 ? 0.15 : 0.1);
      const level = (step % 2 === 1 ? 0.085 : 0.06) * (0.9 + 0.2 * random());
      drawBass(canvas, { pitch: bass + 12, startSeconds: at, seconds: 0.24, level, pan: 0 });
      if (step % 2 === 1 && random() < 0.55) {
        const pitch = (notes[Math.floor(random() * notes.length)] ?? 60) + 12;
        const pan = random() < 0.5 ? -0.6 : 0.6;
        drawPluck(
          canvas,
          { pitch, startSeconds: at, seconds: 1.2, level: 0.055 + 0.03 * random(), pan },
          'wood',
        );
      }
    }
    if (index % 4 === 3) {
      const at = startSeconds + 3 * beat;
      const pitch = (notes.at(-1) ?? 64) + 12;
      drawPluck(canvas, { pitch, startSeconds: at, seconds: 3, level: 0.09, pan: 0.2 }, 'felt');
    }
  }
  return canvas;
}
