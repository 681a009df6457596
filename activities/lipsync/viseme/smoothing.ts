/**
 * A series without its jitter: each value is that of a parabola fitted to its neighbours, near ones counting more
 * (local quadratic regression with tricube weights, as in Cleveland 1979). Peaks keep their height and time far better
 * than under a mean, and the ends are not drawn inwards.
 * @param halfWindow neighbours on either side that count.
 */
export function smoothed(values: readonly number[], halfWindow: number): number[] {
  return values.map((_value, at) => fitAt(values, at, halfWindow));
}

function fitAt(values: readonly number[], at: number, halfWindow: number): number {
  // Sums of weight · distance^k and weight · value · distance^k.
  const s = [0, 0, 0, 0, 0];
  const t = [0, 0, 0];
  const first = Math.max(0, at - halfWindow);
  const last = Math.min(values.length - 1, at + halfWindow);
  for (let n = first; n <= last; n++) {
    const distance = n - at;
    const weight = (1 - (Math.abs(distance) / (halfWindow + 1)) ** 3) ** 3;
    let power = weight;
    for (let k = 0; k < 5; k++) {
      s[k] = (s[k] ?? 0) + power;
      if (k < 3) t[k] = (t[k] ?? 0) + power * (values[n] ?? 0);
      power *= distance;
    }
  }
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0] = s;
  const [t0 = 0, t1 = 0, t2 = 0] = t;
  if (last - first < 3) return t0 / s0;
  // The constant term of the normal equations' solution, by Cramer's rule.
  const determinant = s0 * (s2 * s4 - s3 * s3) - s1 * (s1 * s4 - s2 * s3) + s2 * (s1 * s3 - s2 * s2);
  const constant = t0 * (s2 * s4 - s3 * s3) - s1 * (t1 * s4 - s3 * t2) + s2 * (t1 * s3 - s2 * t2);
  return Math.abs(determinant) < 1e-9 ? t0 / s0 : constant / determinant;
}

/** Smooths each component of a series of vectors of one length. */
export function smoothedVectors(series: readonly ArrayLike<number>[], halfWindow: number): Float64Array[] {
  const out = series.map((vector) => Float64Array.from(vector));
  for (let k = 0; k < (out[0]?.length ?? 0); k++) {
    const values = smoothed(
      series.map((vector) => vector[k] ?? 0),
      halfWindow,
    );
    for (const [n, vector] of out.entries()) vector[k] = values[n] ?? 0;
  }
  return out;
}

/** The value at `share` (0–1) of the sorted values; 0 for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)] ?? 0;
}

/** 0 up to `from`, 1 from `to` on, and smooth in between. */
export function smoothstep(from: number, to: number, value: number): number {
  const x = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return x * x * (3 - 2 * x);
}
