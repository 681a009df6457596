/** One of the four phases in which the signal is reckoned between its samples; the others mirror these. */
const phases = [
  [
    0.001708984375, 0.010986328125, -0.0196533203125, 0.033203125, -0.0594482421875, 0.1373291015625,
    0.97216796875, -0.102294921875, 0.047607421875, -0.026611328125, 0.014892578125, -0.00830078125,
  ],
  [
    -0.0291748046875, 0.029296875, -0.0517578125, 0.089111328125, -0.16650390625, 0.465087890625,
    0.77978515625, -0.2003173828125, 0.1015625, -0.0582275390625, 0.0330810546875, -0.0189208984375,
  ],
];
const taps = 12;
const coefficients = Float64Array.from(
  [...phases, ...phases.map((phase) => [...phase].reverse())].flatMap((phase) => phase),
);

/**
 * True peak by four-fold oversampling with the interpolator of ITU-R BS.1770-4, annex 2. What lies between two
 * samples is reckoned only where they are loud enough to matter.
 */
export function createTruePeakMeter() {
  // The last samples of what came before stand in front of what is added.
  let row = new Float32Array(taps + 4_800);
  let peak = 0;
  return {
    /** Takes `count` samples from `start` every `stride`. */
    add(pcm: Float32Array, start: number, stride: number, count: number): void {
      const length = taps + count;
      if (row.length < length) {
        const longer = new Float32Array(length);
        longer.set(row.subarray(0, taps));
        row = longer;
      }
      copyChannel(pcm, start, stride, row, count);
      peak = highestOf(row, length, peak);
      row.copyWithin(0, length - taps, length);
    },
    peak: () => peak,
  };
}

function copyChannel(pcm: Float32Array, start: number, stride: number, row: Float32Array, count: number) {
  const end = taps + count;
  for (let n = taps, from = start; n < end; n += 1, from += stride) row[n] = pcm[from] ?? 0;
}

function highestOf(row: Float32Array, length: number, known: number): number {
  let peak = known;
  for (let n = taps; n < length; n += 1) {
    const sample = row[n] ?? 0;
    if (sample > peak) peak = sample;
    else if (-sample > peak) peak = -sample;
  }
  // Values are interpolated between the sixth and the seventh of twelve samples.
  for (let n = taps / 2; n < length - taps / 2; n += 1) {
    const sample = row[n] ?? 0;
    const near = 0.7 * peak;
    if (sample < near && sample > -near) continue;
    peak = Math.max(peak, between(row, n - taps / 2), between(row, n - taps / 2 + 1));
  }
  return peak;
}

/** The highest sample. */
export function createSamplePeakMeter(): ReturnType<typeof createTruePeakMeter> {
  const state = { peak: 0 };
  return {
    add(pcm, start, stride, count) {
      let { peak } = state;
      const end = start + count * stride;
      for (let from = start; from < end; from += stride) peak = Math.max(peak, Math.abs(pcm[from] ?? 0));
      state.peak = peak;
    },
    peak: () => state.peak,
  };
}

/** Highest of the four values between the samples in the middle of twelve; `oldest` is the first of them. */
function between(row: Float32Array, oldest: number): number {
  let highest = 0;
  for (let phase = 0; phase < 4 * taps; phase += taps) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      sum += (row[oldest + tap] ?? 0) * (coefficients[phase + taps - 1 - tap] ?? 0);
    }
    const size = sum < 0 ? -sum : sum;
    if (size > highest) highest = size;
  }
  return highest;
}
