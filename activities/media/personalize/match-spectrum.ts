import { bandCount, bandEdges, longTermSpectrum } from './long-term-spectrum.js';

/** What one band may be raised or lowered: more would be heard as an effect. */
const mostDb = 6;
/** Share of the difference that is evened out: a voice keeps some of its own colour. */
const share = 0.7;
const taps = 511;

/**
 * Gives speech the colour of other speech: the difference of their long-term spectra, smoothed over neighbouring
 * bands and bounded, as a linear-phase filter that keeps every moment in its place. The level is not matched
 * here. Speech without a counterpart stays as it is.
 * @param wanted the other speech's {@link longTermSpectrum}
 */
export function matchSpectrum(
  speech: Float32Array,
  wanted: readonly number[],
  sampleRate: number,
): Float32Array {
  const own = longTermSpectrum(speech, sampleRate);
  const total = (bands: readonly number[]) => bands.reduce((sum, band) => sum + band, 0);
  if (total(own) === 0 || total(wanted) === 0) return speech;
  const decibels = own.map((power, band) => {
    const relative = (wanted[band] ?? 0) / total(wanted) / Math.max(1e-9, power / total(own));
    return 10 * Math.log10(Math.max(1e-6, relative));
  });
  const gains = decibels.map((_, band) => {
    const near = [-1, 0, 1].map((step) => decibels[Math.min(bandCount - 1, Math.max(0, band + step))] ?? 0);
    const smooth = ((near[0] ?? 0) + 2 * (near[1] ?? 0) + (near[2] ?? 0)) / 4;
    return Math.min(mostDb, Math.max(-mostDb, share * smooth));
  });
  return filtered(speech, designFilter(gains, sampleRate));
}

/** Samples of the wanted gain from 0 Hz to half the rate. */
const gridSize = 256;

/** Linear-phase FIR by frequency sampling with a Hann window. Source: Oppenheim and Schafer, chapter 7. */
function designFilter(gainsDb: readonly number[], sampleRate: number): Float64Array {
  const amplitudes = Float64Array.from({ length: gridSize + 1 }, (_, index) => {
    return 10 ** (gainAt((index * sampleRate) / 2 / gridSize, gainsDb) / 20);
  });
  const middle = (taps - 1) / 2;
  return Float64Array.from({ length: taps }, (_, tap) => {
    const offset = tap - middle;
    let sum = ((amplitudes[0] ?? 1) + (amplitudes[gridSize] ?? 1) * Math.cos(Math.PI * offset)) / 2;
    for (let index = 1; index < gridSize; index += 1) {
      sum += (amplitudes[index] ?? 1) * Math.cos((Math.PI * index * offset) / gridSize);
    }
    const window = 0.5 + 0.5 * Math.cos((2 * Math.PI * offset) / (taps + 1));
    return (sum / gridSize) * window;
  });
}

/** Between the middles of the bands straight over the logarithm of frequency, flat beyond them. */
function gainAt(hertz: number, gainsDb: readonly number[]): number {
  const middles = gainsDb.map((_, band) => Math.sqrt((bandEdges[band] ?? 1) * (bandEdges[band + 1] ?? 1)));
  const above = middles.findIndex((middle) => middle > hertz);
  if (above <= 0) return gainsDb[above === 0 ? 0 : bandCount - 1] ?? 0;
  const [low, high] = [middles[above - 1] ?? 1, middles[above] ?? 1];
  const part = Math.log(hertz / low) / Math.log(high / low);
  return (gainsDb[above - 1] ?? 0) * (1 - part) + (gainsDb[above] ?? 0) * part;
}

/** A linear-phase filter is the same read from either end, so two samples share a product. */
function filtered(input: Float32Array, filter: Float64Array): Float32Array {
  const middle = (filter.length - 1) / 2;
  const padded = new Float64Array(input.length + 2 * middle);
  padded.set(input, middle);
  const output = new Float32Array(input.length);
  for (let at = 0; at < output.length; at += 1) {
    let sum = (padded[at + middle] ?? 0) * (filter[middle] ?? 0);
    for (let tap = 0, far = at + 2 * middle; tap < middle; tap += 1, far -= 1) {
      sum += ((padded[at + tap] ?? 0) + (padded[far] ?? 0)) * (filter[tap] ?? 0);
    }
    output[at] = sum;
  }
  return output;
}
