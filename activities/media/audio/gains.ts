/**
 * Multiplies interleaved stereo by gains given at the ends of even steps, straight between them.
 * @param gains one more than there are steps.
 * @param start sample with which `pcm` begins, at the start of a step.
 * @param stepSamples samples of one channel in a step.
 */
export function applyGains(pcm: Float32Array, gains: Float32Array, start: number, stepSamples: number): void {
  let step = start / stepSamples;
  for (let from = 0; from < pcm.length; from += 2 * stepSamples, step += 1) {
    const end = Math.min(pcm.length, from + 2 * stepSamples);
    const first = gains[step] ?? 0;
    const slope = ((gains[step + 1] ?? first) - first) / stepSamples;
    for (let n = from, gain = first; n < end; n += 2, gain += slope) {
      pcm[n] = (pcm[n] ?? 0) * gain;
      pcm[n + 1] = (pcm[n + 1] ?? 0) * gain;
    }
  }
}
