/** 10 ms at 48 kHz: the step in which the voice's level is taken and the music's gain is set. */
export const duckingStep = 480;

/** The voice is reckoned to speak above this level, at its final loudness; it says much less in its pauses. */
const thresholdDb = -41;
const ratio = 3;
/** Never lower than this: music that comes and goes altogether draws attention to itself. */
const deepestDb = 10;
/** Gives way this long before the voice, comes back this long after it: not between words. */
const [beforeSteps, afterSteps] = [20, 40];
/** The way down and up is as long as this, without a corner in it. */
const glideSteps = 30;

/**
 * Side-chain ducking: the gain of the music under a voice, in each step, from the voice's levels. A compressor
 * whose key is known ahead, so that it can begin before the first syllable and need not pump between words.
 * @param levels RMS of each step, full scale = 1.
 */
export function duckingGains(levels: Float32Array): Float32Array {
  const reductions = levels.map((level) => {
    const above = 20 * Math.log10(level + 1e-9) - thresholdDb;
    return Math.min(deepestDb, Math.max(0, above * (1 - 1 / ratio)));
  });
  const held = highestAround(reductions, beforeSteps + glideSteps / 2, afterSteps + glideSteps / 2);
  return averaged(averaged(held, glideSteps / 2), glideSteps / 2).map((db) => 10 ** (-db / 20));
}

/** Highest value from `after` places before each place to `before` places behind it. */
function highestAround(values: Float32Array, before: number, after: number): Float32Array {
  const result = new Float32Array(values.length);
  for (const [place, value] of values.entries()) {
    if (value === 0) continue;
    const end = Math.min(values.length, place + after + 1);
    for (let at = Math.max(0, place - before); at < end; at += 1) {
      if ((result[at] ?? 0) < value) result[at] = value;
    }
  }
  return result;
}

/** Mean over `radius` places to both sides; the ends are taken to go on as they are. */
function averaged(values: Float32Array, radius: number): Float32Array {
  const at = (place: number) => values[Math.min(values.length - 1, Math.max(0, place))] ?? 0;
  let sum = 0;
  for (let place = -radius; place <= radius; place += 1) sum += at(place);
  return values.map((_, place) => {
    const mean = sum / (2 * radius + 1);
    sum += at(place + radius + 1) - at(place - radius);
    return mean;
  });
}
