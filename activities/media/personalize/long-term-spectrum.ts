import meyda from 'meyda/dist/node/main.js';

const bufferSamples = 2_048;
/** Borders of the bands in Hz: half octaves where speech has its colour. */
export const bandEdges = [
  80, 160, 250, 355, 500, 710, 1_000, 1_400, 2_000, 2_800, 4_000, 5_600, 8_000, 11_000,
];
export const bandCount = bandEdges.length - 1;
/** What is this far below the loudest frame is a pause. */
const pauseDb = 30;

/**
 * Mean power in each band over the frames in which somebody speaks; zeros for silence.
 * @param mono full scale = 1
 */
export function longTermSpectrum(mono: Float32Array, sampleRate: number): number[] {
  const frames: { power: number; bands: number[] }[] = [];
  Object.assign(meyda, { bufferSize: bufferSamples, sampleRate, windowingFunction: 'hanning' });
  for (let start = 0; start < mono.length; start += bufferSamples / 2) {
    const buffer = new Float32Array(bufferSamples);
    buffer.set(mono.subarray(start, start + bufferSamples));
    const spectrum = meyda.extract('powerSpectrum', buffer) ?? [];
    const bands = bandEdges.slice(0, -1).map((low, band) => {
      const high = bandEdges[band + 1] ?? low;
      const [from, to] = [low, high].map((hertz) => Math.round((hertz * bufferSamples) / sampleRate));
      let sum = 0;
      for (let bin = from ?? 0; bin < (to ?? 0); bin += 1) sum += spectrum[bin] ?? 0;
      return sum;
    });
    frames.push({ power: bands.reduce((sum, band) => sum + band, 0), bands });
  }
  const loudest = frames.reduce((most, { power }) => Math.max(most, power), 0);
  const sounding = frames.filter(({ power }) => power > 0 && power > loudest / 10 ** (pauseDb / 10));
  return Array.from({ length: bandCount }, (_, band) => {
    const sum = sounding.reduce((total, { bands }) => total + (bands[band] ?? 0), 0);
    return sounding.length === 0 ? 0 : sum / sounding.length;
  });
}
