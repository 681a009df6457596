/** Frames this far below the loudest count as pauses. */
const pauseDb = 26;

/** Mean power of one frame after the other; what does not fill the last is left out. */
export function framePowers(mono: Float32Array, frame: number): Float64Array {
  const powers = new Float64Array(Math.floor(mono.length / frame));
  for (let index = 0; index < powers.length; index += 1) {
    let sum = 0;
    for (let n = index * frame; n < (index + 1) * frame; n += 1) {
      const sample = mono[n] ?? 0;
      sum += sample * sample;
    }
    powers[index] = sum / frame;
  }
  return powers;
}

/** Mean power of the 20 ms frames in which somebody speaks. */
export function speechPower(mono: Float32Array, sampleRate: number): number {
  const powers = framePowers(mono, Math.round(0.02 * sampleRate));
  const least = powers.reduce((most, power) => Math.max(most, power), 0) / 10 ** (pauseDb / 10);
  const sounding = powers.filter((power) => power > 0 && power >= least);
  return sounding.length === 0 ? 0 : sounding.reduce((sum, power) => sum + power, 0) / sounding.length;
}

export function mixedDown(interleaved: Float32Array, channels: 1 | 2): Float32Array {
  if (channels === 1) return interleaved;
  const mono = new Float32Array(interleaved.length / 2);
  for (let n = 0; n < mono.length; n += 1) {
    mono[n] = ((interleaved[2 * n] ?? 0) + (interleaved[2 * n + 1] ?? 0)) / 2;
  }
  return mono;
}

export function onlyChannel(interleaved: Float32Array, channels: 1 | 2, channel: number): Float32Array {
  if (channels === 1) return interleaved;
  const mono = new Float32Array(interleaved.length / 2);
  for (let n = 0; n < mono.length; n += 1) mono[n] = interleaved[2 * n + channel] ?? 0;
  return mono;
}
