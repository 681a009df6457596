import { box, tableBox } from '../mp4/boxes.js';
import { frameSamples, primingSamples, sampleRateIndex, streamFrames, type AacStream } from './adts.js';

/**
 * An MP4 with one track of sound, `samples` long to the sample: an edit list leaves out the priming, and the
 * last frame is given the duration that is left of it.
 * Source: ISO/IEC 14496-12 (boxes), 14496-14 (`mp4a`), 14496-1 (descriptors), 14496-3 (AudioSpecificConfig).
 * @throws RangeError unless the stream has just the frames that so many samples need.
 */
export function writeM4a(stream: AacStream, samples: number): Buffer {
  const { frames } = stream;
  if (frames.length !== streamFrames(samples)) {
    throw new RangeError(`${String(samples)} samples do not lie in ${String(frames.length)} frames`);
  }
  const fileType = box('ftyp', Buffer.from('M4A \0\0\x02\0M4A isomiso2', 'latin1'));
  const indexBytes = movie(stream, samples, 0).length;
  const mediaStart = fileType.length + indexBytes + 8;
  return Buffer.concat([fileType, movie(stream, samples, mediaStart), box('mdat', ...frames)]);
}

const identity = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000];
const fullVolume = 0x0100_0000;
const unitRate = 0x0001_0000;

function movie(stream: AacStream, samples: number, mediaStart: number): Buffer {
  const { sampleRate } = stream;
  const times = [0, 0, sampleRate, samples];
  return box(
    'moov',
    tableBox('mvhd', [...times, unitRate, fullVolume, 0, 0, ...identity, 0, 0, 0, 0, 0, 0, 2]),
    box(
      'trak',
      enabled(tableBox('tkhd', [0, 0, 1, 0, samples, 0, 0, 0, fullVolume, ...identity, 0, 0])),
      box('edts', tableBox('elst', [1, samples, primingSamples, unitRate])),
      box(
        'mdia',
        // 0x55c4 is `und` in packed letters.
        tableBox('mdhd', [0, 0, sampleRate, samples + primingSamples, 0x55c4_0000]),
        box('hdlr', Buffer.from(`${'\0'.repeat(8)}soun${'\0'.repeat(13)}`, 'latin1')),
        box(
          'minf',
          tableBox('smhd', [0]),
          // The media are in this file.
          box('dinf', box('dref', Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), tableBoxWithFlags('url ', [], 1))),
          box('stbl', ...sampleTables(stream, samples, mediaStart)),
        ),
      ),
    ),
  );
}

function sampleTables(stream: AacStream, samples: number, mediaStart: number): Buffer[] {
  const { frames } = stream;
  const last = samples + primingSamples - (frames.length - 1) * frameSamples;
  return [
    box('stsd', Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), sampleEntry(stream)),
    tableBox('stts', [2, frames.length - 1, frameSamples, 1, last]),
    tableBox('stsc', [1, 1, frames.length, 1]),
    tableBox('stsz', [0, frames.length, ...frames.map(({ length }) => length)]),
    tableBox('stco', [1, mediaStart]),
  ];
}

function sampleEntry({ sampleRate, channels, frames }: AacStream): Buffer {
  const entry = Buffer.alloc(28);
  entry.writeUInt16BE(1, 6);
  entry.writeUInt16BE(channels, 16);
  entry.writeUInt16BE(16, 18);
  entry.writeUInt32BE(sampleRate * 65_536, 24);
  const config = Buffer.alloc(2);
  // Object type 2 is AAC-LC; all else is left at 0: frames of 1,024 samples, no core coder, no extension.
  config.writeUInt16BE((2 << 11) | (sampleRateIndex(sampleRate) << 7) | (channels << 3));
  const bytes = frames.reduce((sum, { length }) => sum + length, 0);
  const rates = Buffer.alloc(8);
  rates.writeUInt32BE(0, 0);
  rates.writeUInt32BE(Math.round((bytes * 8 * sampleRate) / (frames.length * frameSamples)), 4);
  const decoder = descriptor(4, Buffer.from([0x40, 0x15, 0, 0, 0]), rates, descriptor(5, config));
  const stream = descriptor(3, Buffer.from([0, 1, 0]), decoder, descriptor(6, Buffer.from([2])));
  return box('mp4a', entry, box('esds', Buffer.alloc(4), stream));
}

function descriptor(tag: number, ...body: readonly Buffer[]): Buffer {
  const bytes = body.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([Buffer.from([tag, bytes]), ...body]);
}

function tableBoxWithFlags(name: string, values: readonly number[], flags: number): Buffer {
  const made = tableBox(name, values);
  made.writeUIntBE(flags, 9, 3);
  return made;
}

/** A track that is not enabled, or not in the movie, is not played. */
function enabled(header: Buffer): Buffer {
  header.writeUIntBE(3, 9, 3);
  return header;
}
