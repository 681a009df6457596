/**
 * Samples of a 16-bit PCM WAV of ours, its channels mixed to one, −1…1. Source of the layout: Microsoft's
 * RIFF/WAVE specification.
 * @throws Error for anything else.
 */
export function monoOfWav(file: Buffer): { samples: Float32Array; rate: number } {
  if (file.toString('latin1', 0, 4) !== 'RIFF') throw new Error('the sound is no WAV');
  let channels = 1;
  let rate = 0;
  for (let at = 12; at + 8 <= file.length;) {
    const kind = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const body = at + 8;
    if (kind === 'fmt ') {
      channels = file.readUInt16LE(body + 2);
      rate = file.readUInt32LE(body + 4);
    }
    if (kind === 'data' && rate > 0) {
      const count = Math.floor(Math.min(size, file.length - body) / (2 * channels));
      const samples = Float32Array.from({ length: count }, (_, n) => {
        let sum = 0;
        for (let channel = 0; channel < channels; channel += 1) {
          sum += file.readInt16LE(body + (n * channels + channel) * 2);
        }
        return sum / channels / 32_768;
      });
      return { samples, rate };
    }
    at = body + size + (size % 2);
  }
  throw new Error('the sound is cut off');
}
