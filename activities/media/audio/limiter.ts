/**
 * 1.3 ms at 48 kHz: the limiter's gain is set at the ends of such steps and runs straight between them. A
 * frame of AAC is a whole number of them, so that a voice is limited alike on whichever frame it begins.
 */
export const limiterStep = 64;
/** The gain begins to fall so many steps before a peak. */
const aheadSteps = 3;
/** Share of the way back to full gain in each step: 70 ms to two thirds of it. */
const recovery = 1 - Math.exp(-limiterStep / (0.07 * 48_000));
/** From here on it is full again: a peak is forgotten within a second. */
const nearlyFull = 0.9999;

/**
 * Gains of a look-ahead peak limiter at both ends of every step, one more than there are steps. What a peak
 * needs is held ahead of it, let go slowly, and averaged over the time that it was held ahead: every part of
 * that average is at or below what the peaks on both sides of that moment need.
 * @param peaks highest sample of each step, before `gain`.
 * @param gain factor that the result contains.
 * @param ceiling no sample of a step comes out higher than what this says of it.
 */
export function limiterGains(
  peaks: Float32Array,
  gain: number,
  ceiling: (step: number) => number,
): Float32Array {
  const count = peaks.length;
  const lowest = new Float32Array(count + 1).fill(1);
  for (let step = 0; step < count; step += 1) {
    const peak = (peaks[step] ?? 0) * gain;
    const highest = ceiling(step);
    if (peak <= highest) continue;
    const needed = highest / peak;
    const last = Math.min(count, step + 1);
    for (let at = Math.max(0, step - aheadSteps + 1); at <= last; at += 1) {
      if (needed < (lowest[at] ?? 1)) lowest[at] = needed;
    }
  }
  const held = new Float64Array(count + 1);
  let current = 1;
  for (let at = 0; at <= count; at += 1) {
    const recovered = current + (1 - current) * recovery;
    current = Math.min(lowest[at] ?? 1, recovered > nearlyFull ? 1 : recovered);
    held[at] = current;
  }
  const gains = new Float32Array(count + 1);
  for (let at = 0; at <= count; at += 1) {
    // Added up anew each time and in order, so that nothing is left of what came before.
    let sum = 0;
    for (let back = aheadSteps - 1; back >= 0; back -= 1) sum += held[Math.max(0, at - back)] ?? 1;
    gains[at] = (gain * sum) / aheadSteps;
  }
  return gains;
}
