import { invalidInput } from '../../failures.js';

/**
 * Samples of a mono 48 kHz 16-bit PCM WAV, the one form in which voices are kept. Chunks other than `fmt ` and
 * `data` are skipped. Source of the layout: Microsoft's RIFF/WAVE specification.
 * @throws ApplicationFailure `voice_unreadable` for anything else.
 */
export function readVoiceWav(file: Buffer): Int16Array {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE')
    throw unreadable();
  let isVoice = false;
  for (let at = 12; at + 8 <= file.length;) {
    const kind = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const body = at + 8;
    if (kind === 'fmt ' && body + 16 <= file.length) {
      const [format, channels, bits] = [0, 2, 14].map((offset) => file.readUInt16LE(body + offset));
      isVoice = format === 1 && channels === 1 && bits === 16 && file.readUInt32LE(body + 4) === 48_000;
    }
    if (kind === 'data') {
      if (!isVoice) throw unreadable();
      return samplesOf(file.subarray(body, Math.min(file.length, body + size)));
    }
    at = body + size + (size % 2);
  }
  throw unreadable();
}

function samplesOf(data: Buffer): Int16Array {
  const bytes = new Uint8Array(data.length - (data.length % 2));
  bytes.set(data.subarray(0, bytes.length));
  return new Int16Array(bytes.buffer);
}

const unreadable = () =>
  invalidInput({ code: 'voice_unreadable', detail: 'A voice is not a mono 48 kHz 16-bit WAV file.' });
