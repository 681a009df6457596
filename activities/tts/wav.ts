const headerBytes = 44;

/** Mono 16-bit PCM in a RIFF/WAVE file with the plain 44-byte header. */
export function encodeWav(pcm: Int16Array, rate: number): Buffer {
  const file = Buffer.alloc(headerBytes + pcm.length * 2);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(pcm.length * 2, 40);
  for (const [n, sample] of pcm.entries()) file.writeInt16LE(sample, headerBytes + n * 2);
  return file;
}

/** Samples of a file that {@link encodeWav} wrote. */
export function decodeWav(file: Uint8Array): Int16Array {
  const body = file.slice(headerBytes);
  return new Int16Array(body.buffer, body.byteOffset, body.byteLength >> 1);
}
