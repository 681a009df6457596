/** 1 ms at 48 kHz: the limiter's gain is set at the ends of such steps and runs straight between them. */
export const limiterStep = 48;
/** The gain begins to fall so many steps before a peak. */
const aheadSteps = 4;
/** Share of the way back to full gain in each step: 70 ms to two thirds of it. */
const recovery = 1 - Math.exp(-1 / 70);

/**
 * Gains of a look-ahead peak limiter at both ends of every step, one more than there are steps. What a peak
 * needs is held ahead of it, let go slowly, and averaged over the time that it was held ahead: every part of
 * that average is at or below what the peaks on both sides of that moment need.
 * @param peaks highest sample of each step, before `gain`.
 * @param gain factor that the result contains.
 * @param ceiling no sample comes out higher.
 */
export function limiterGains(peaks: Float32Array, gain: number, ceiling: number): Float32Array {
  const count = peaks.length;
  const lowest = new Float32Array(count + 1).fill(1);
  for (let step = 0; step < count; step += 1) {
    const peak = (peaks[step] ?? 0) * gain;
    if (peak <= ceiling) continue;
    const needed = ceiling / peak;
    const last = Math.min(count, step + 1);
    for (let at = Math.max(0, step - aheadSteps + 1); at <= last; at += 1) {
      if (needed < (lowest[at] ?? 1)) lowest[at] = needed;
    }
  }
  const gains = new Float32Array(count + 1);
  const window = new Float64Array(aheadSteps).fill(lowest[0] ?? 1);
  let [current, sum] = [1, aheadSteps * (lowest[0] ?? 1)];
  for (let at = 0; at <= count; at += 1) {
    current = Math.min(lowest[at] ?? 1, current + (1 - current) * recovery);
    const slot = at % aheadSteps;
    sum += current - (window[slot] ?? 1);
    window[slot] = current;
    gains[at] = (gain * sum) / aheadSteps;
  }
  return gains;
}
