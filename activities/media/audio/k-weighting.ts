/**
 * The K-weighting filter of ITU-R BS.1770-4 for 48 kHz: a high shelf for the head, then a high-pass. Keeps its
 * state from call to call.
 */
export function createKWeighting() {
  const state = new Float64Array(4);
  return {
    /** Sum of the squares of `count` weighted samples, taken from `start` every `stride`. */
    energy(pcm: Float32Array, start: number, stride: number, count: number): number {
      let [s1 = 0, s2 = 0, h1 = 0, h2 = 0] = [state[0], state[1], state[2], state[3]];
      let sum = 0;
      const end = start + count * stride;
      for (let at = start; at < end; at += stride) {
        const x = pcm[at] ?? 0;
        const shelf = 1.53512485958697 * x + s1;
        s1 = -2.69169618940638 * x + 1.69065929318241 * shelf + s2;
        s2 = 1.19839281085285 * x - 0.73248077421585 * shelf;
        const y = shelf + h1;
        h1 = -2 * shelf + 1.99004745483398 * y + h2;
        h2 = shelf - 0.99007225036621 * y;
        sum += y * y;
      }
      state[0] = s1;
      state[1] = s2;
      state[2] = h1;
      state[3] = h2;
      return sum;
    },
  };
}
