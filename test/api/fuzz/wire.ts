import { Agent, request } from 'node:http';
import type { FuzzRequest } from './requests.js';

export interface WireAnswer {
  status: number;
  contentType: string;
  text: string;
}

/** Sends requests as they are, which `fetch` would put right. */
export function createWire(baseUrl: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const { hostname, port } = new URL(baseUrl);

  function send({ method, path, headers, body }: FuzzRequest, timeoutMs: number): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': String(body.length) };
      const sent = request({ agent, hostname, port, method, path, headers: { ...headers, ...length } });
      sent.setTimeout(timeoutMs, () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      sent.on('error', reject);
      sent.on('response', (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          resolve({
            status: answer.statusCode ?? 0,
            contentType: answer.headers['content-type'] ?? '',
            text: Buffer.concat(chunks).toString(),
          });
        });
      });
      sent.end(body);
    });
  }

  return { send, close: () => agent.destroy() };
}
