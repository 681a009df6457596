import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const MiB = 1024 ** 2;

/**
 * Sends a form with a video of as many bytes as are wanted: a small MP4, and after it a box of free space that is
 * made as it is sent. ISO/IEC 14496-12, 8.1.2.
 */
export async function sendLargeVideo(
  api: string,
  token: string,
  options: { mp4: Buffer; bytes: number; isSized?: boolean },
): Promise<{ status: number; body: string }> {
  const { mp4, bytes, isSized = true } = options;
  const free = bytes - mp4.length;
  const box = Buffer.alloc(16);
  box.writeUInt32BE(1, 0);
  box.write('free', 4, 'latin1');
  box.writeBigUInt64BE(BigInt(free), 8);
  const head = Buffer.from(
    '--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nvideo\r\n' +
      '--b\r\nContent-Disposition: form-data; name="file"; filename="large.mp4"\r\n\r\n',
  );
  const tail = Buffer.from('\r\n--b--\r\n');
  const filler = Buffer.alloc(MiB, 'callsheet');
  function* parts() {
    yield Buffer.concat([head, mp4, box]);
    for (let left = free - box.length; left > 0; left -= MiB) yield filler.subarray(0, Math.min(left, MiB));
    yield tail;
  }
  const sending = request(`${api}/api/v1/assets`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'multipart/form-data; boundary=b',
      ...(isSized ? { 'content-length': head.length + bytes + tail.length } : {}),
    },
  });
  const answered = new Promise<{ status: number; body: string }>((resolve, reject) => {
    sending.on('error', reject);
    sending.on('response', (response) => {
      response
        .toArray()
        .then((chunks: Buffer[]) =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        )
        .catch(reject);
    });
  });
  await Promise.all([
    pipeline(Readable.from(parts(), { objectMode: true, highWaterMark: 1 }), sending),
    answered,
  ]);
  return answered;
}
