/** Coefficients of a second-order section, normalised by a0. */
interface Biquad {
  b: [number, number, number];
  a: [number, number];
}

/**
 * Takes rumble and the buzz of a formant synthesizer back: high-pass at 70 Hz, a shelf of −3 dB from 5.5 kHz.
 * Filters from R. Bristow-Johnson's Audio EQ Cookbook.
 */
export function softened(samples: Float32Array, rate: number): Float32Array {
  return filtered(filtered(samples, highPass(70, rate)), highShelf(5_500, -3, rate));
}

function filtered(samples: Float32Array, { b, a }: Biquad): Float32Array {
  const out = new Float32Array(samples.length);
  let z1 = 0;
  let z2 = 0;
  for (const [n, x] of samples.entries()) {
    const y = b[0] * x + z1;
    z1 = b[1] * x - a[0] * y + z2;
    z2 = b[2] * x - a[1] * y;
    out[n] = y;
  }
  return out;
}

function highPass(frequency: number, rate: number): Biquad {
  const w = (2 * Math.PI * frequency) / rate;
  const alpha = Math.sin(w) / Math.SQRT2;
  const cos = Math.cos(w);
  const a0 = 1 + alpha;
  const edge = (1 + cos) / 2 / a0;
  return { b: [edge, -2 * edge, edge], a: [(-2 * cos) / a0, (1 - alpha) / a0] };
}

function highShelf(frequency: number, gainDb: number, rate: number): Biquad {
  const gain = 10 ** (gainDb / 40);
  const w = (2 * Math.PI * frequency) / rate;
  const cos = Math.cos(w);
  const slope = 2 * Math.sqrt(gain) * (Math.sin(w) / Math.SQRT2);
  const a0 = gain + 1 - (gain - 1) * cos + slope;
  return {
    b: [
      (gain * (gain + 1 + (gain - 1) * cos + slope)) / a0,
      (-2 * gain * (gain - 1 + (gain + 1) * cos)) / a0,
      (gain * (gain + 1 + (gain - 1) * cos - slope)) / a0,
    ],
    a: [(2 * (gain - 1 - (gain + 1) * cos)) / a0, (gain + 1 - (gain - 1) * cos - slope) / a0],
  };
}
