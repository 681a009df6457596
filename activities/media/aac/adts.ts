/** AAC-LC as Callsheet makes it: one raw data block a frame, each of {@link frameSamples} samples. */
export interface AacFormat {
  /** In hertz; one of ADTS's thirteen. */
  sampleRate: number;
  channels: 1 | 2;
}

export interface AacStream extends AacFormat {
  /** Raw data blocks without headers, as an MP4 holds them too. */
  frames: readonly Buffer[];
}

/** Samples of one channel in a frame. */
export const frameSamples = 1024;

/** An encoder's delay: a stream's first frame decodes to what lies before its first sample. */
export const primingSamples = 1024;

/** Frames of a stream that begins with its priming and holds so many samples. */
export const streamFrames = (samples: number): number => Math.ceil(samples / frameSamples) + 1;

const sampleRates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const headerBytes = 7;
const lowComplexity = 1;

/**
 * Takes an ADTS stream apart. Source: ISO/IEC 13818-7, 6.2 (adts_fixed_header, adts_variable_header).
 * @throws Error for what is no AAC-LC in mono or stereo with one block a frame, changes on the way, or is cut off.
 */
export function readAdts(bytes: Buffer): AacStream {
  const frames: Buffer[] = [];
  let format: AacFormat | undefined;
  for (let at = 0; at < bytes.length;) {
    const header = readHeader(bytes, at);
    format ??= header.format;
    const { sampleRate, channels } = header.format;
    if (sampleRate !== format.sampleRate || channels !== format.channels)
      throw broken('it changes on the way');
    frames.push(bytes.subarray(at + header.headerBytes, at + header.frameBytes));
    at += header.frameBytes;
  }
  if (format === undefined) throw broken('it is empty');
  return { ...format, frames };
}

function readHeader(bytes: Buffer, at: number) {
  if (at + headerBytes > bytes.length) throw broken('it is cut off');
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0, b6 = 0] = bytes.subarray(at, at + headerBytes);
  if (b0 !== 0xff || (b1 & 0xf6) !== 0xf0) throw broken('a frame does not begin with a sync word');
  const sampleRate = sampleRates[(b2 >> 2) & 15];
  const channels = ((b2 & 1) << 2) | (b3 >> 6);
  if (b2 >> 6 !== lowComplexity || sampleRate === undefined) throw broken('it is not of low complexity');
  if (channels !== 1 && channels !== 2) throw broken('it is neither mono nor stereo');
  if ((b6 & 3) !== 0) throw broken('a frame has several blocks');
  const frameBytes = ((b3 & 3) << 11) | (b4 << 3) | (b5 >> 5);
  const hasChecksum = (b1 & 1) === 0;
  const ownBytes = headerBytes + (hasChecksum ? 2 : 0);
  if (frameBytes <= ownBytes || at + frameBytes > bytes.length) throw broken('it is cut off');
  const format: AacFormat = { sampleRate, channels };
  return { format, headerBytes: ownBytes, frameBytes };
}

/** Puts an ADTS header in front of every frame. @throws Error for a format that ADTS does not know. */
export function writeAdts({ sampleRate, channels, frames }: AacStream): Buffer {
  const rate = sampleRateIndex(sampleRate);
  const parts = frames.flatMap((frame) => {
    const bytes = headerBytes + frame.length;
    if (bytes >= 2 ** 13) throw broken('a frame is too large');
    // No checksum, a buffer fullness of all ones (variable rate), one block.
    return [
      Buffer.from([
        ...[0xff, 0xf1, (lowComplexity << 6) | (rate << 2) | (channels >> 2)],
        ...[((channels & 3) << 6) | (bytes >> 11), (bytes >> 3) & 255, ((bytes & 7) << 5) | 31, 0xfc],
      ]),
      frame,
    ];
  });
  return Buffer.concat(parts);
}

/** Number of a sample rate in ISO/IEC 13818-7, table 35. @throws Error for one that is not there. */
export function sampleRateIndex(sampleRate: number): number {
  const index = sampleRates.indexOf(sampleRate);
  if (index < 0) throw broken(`${String(sampleRate)} Hz is no sample rate of AAC`);
  return index;
}

function broken(what: string): Error {
  return new Error(`AAC stream: ${what}`);
}
