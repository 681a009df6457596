import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi } from './support.js';

let api: TestApi;
let token: string;

beforeAll(async () => {
  api = await startApi();
  token = (await api.register()).token;
});
afterAll(() => api.stop());

/** More than the few chunks that streams hold. */
const large = [
  '--x\r\ncontent-disposition: form-data; name="unknown"; filename="a"\r\n\r\n',
  'x'.repeat(900_000),
  '\r\n--x--\r\n',
].join('');
const form = 'multipart/form-data; boundary=x';
const nowhere = '417e4039-c0f6-4d6b-ad34-098db4134950';

/** One after the other on one connection. */
function createConnection() {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { hostname, port } = new URL(api.url);
  const send = (method: string, path: string, type?: string, body = '') =>
    new Promise<{ status: number | undefined; isReused: boolean }>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        ...(body === '' ? {} : { 'content-length': String(body.length) }),
        ...(type === undefined ? {} : { 'content-type': type }),
      };
      const sent = request({ agent, hostname, port, method, path: `/api/v1${path}`, headers });
      sent.on('error', reject);
      sent.on('response', (answer) => {
        answer.resume();
        answer.on('end', () => {
          resolve({ status: answer.statusCode, isReused: sent.reusedSocket });
        });
      });
      sent.end(body);
    });
  return { send, close: () => agent.destroy() };
}

it.concurrent.each<[method: string, path: string, type: string | undefined, status: number]>([
  ['PUT', '/users/me', undefined, 415],
  ['PUT', '/users/me', 'text/plain', 415],
  ['POST', `/jobs/${nowhere}/retry`, undefined, 415],
  ['POST', '/assets', form, 422],
  ['POST', '/convert', form, 422],
  ['POST', '/personalized-videos', form, 422],
  ['PUT', '/users/me/avatar', form, 422],
  ['PUT', `/uploads/${nowhere}`, 'application/octet-stream', 404],
])(
  'a large body that %s %s refuses as %s leaves the connection to the next request',
  async (method, path, type, status) => {
    const connection = createConnection();
    try {
      expect(await connection.send(method, path, type, large)).toMatchObject({ status });
      expect(await connection.send('GET', '/users/me')).toEqual({ status: 200, isReused: true });
      // Longer than the server waits for the rest of a body before it cuts the connection.
      await new Promise((resolve) => setTimeout(resolve, 600));
      expect(await connection.send('GET', '/users/me')).toEqual({ status: 200, isReused: true });
    } finally {
      connection.close();
    }
  },
);
