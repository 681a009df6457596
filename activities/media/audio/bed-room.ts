import { seededRandom } from '../pictures/random.js';
import { bedRate } from './bed-instruments.js';

/**
 * Impulse response of a soft hall, interleaved stereo at the beds' rate: the sound itself, then noise that
 * dies away over `seconds`, differently on each side, with its high tones dying first.
 * @param level of the hall against the sound itself, as a share of its power.
 */
export function drawRoom(seconds: number, level: number): Float32Array {
  const count = Math.round(seconds * bedRate);
  const predelay = Math.round(0.018 * bedRate);
  const response = new Float32Array(2 * (count + predelay));
  for (const side of [0, 1]) {
    const random = seededRandom('room', side);
    let low = 0;
    let power = 0;
    for (let n = 0; n < count; n += 1) {
      const t = n / bedRate;
      const darkness = 0.35 * Math.exp((-2.2 * t) / seconds) + 0.06;
      low += (random.between(-1, 1) - low) * darkness;
      const value = low * Math.exp((-6.9 * t) / seconds) * Math.min(1, t / 0.03);
      response[2 * (n + predelay) + side] = value;
      power += value * value;
    }
    const gain = Math.sqrt(level / power);
    for (let n = predelay; n < count + predelay; n += 1) {
      response[2 * n + side] = (response[2 * n + side] ?? 0) * gain;
    }
    response[side] = 1;
  }
  return response;
}
