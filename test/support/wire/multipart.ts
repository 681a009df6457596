import { buffer } from 'node:stream/consumers';
import { Busboy } from '@fastify/busboy';

export interface FormPart {
  /** Of a file, as it was sent. */
  fileName: string | undefined;
  bytes: Buffer;
}

/** The parts of a multipart body by name. @throws Error for what is none */
export async function readMultipart(body: Buffer, contentType: string): Promise<Map<string, FormPart>> {
  const parts = new Map<string, FormPart>();
  const reading: Promise<void>[] = [];
  await new Promise<void>((resolve, reject) => {
    const form = new Busboy({ headers: { 'content-type': contentType } });
    form.on('field', (name, value) => parts.set(name, { fileName: undefined, bytes: Buffer.from(value) }));
    form.on('file', (name, stream, fileName) => {
      reading.push(buffer(stream).then((bytes) => void parts.set(name, { fileName, bytes })));
    });
    form.on('finish', resolve);
    form.on('error', reject);
    form.end(body);
  });
  await Promise.all(reading);
  return parts;
}
