import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';

export interface S3Request {
  method: string;
  /** Without the bucket and without the query, e.g. `artifacts/….mp4`. */
  key: string;
}

/** What becomes of a request: passed on, refused, cut off before it is passed on, or cut off before its answer is. */
export type S3Fate = 'pass' | 'refuse' | 'cut' | 'lose-answer';

export interface S3Proxy {
  endpoint: string;
  /** Decides on each request as it comes. */
  fate: (request: S3Request) => S3Fate;
  /** Called when the server has done a request, before its client is told; the client waits. */
  onDone: (request: S3Request) => Promise<void> | void;
  /** How many requests met each fate. */
  met: Record<S3Fate, number>;
  close(): Promise<void>;
}

/** Stands between a client and an S3 server, and lets go wrong what is asked for. */
export async function startS3Proxy(upstream: string, bucket: string): Promise<S3Proxy> {
  const { hostname, port } = new URL(upstream);
  const agent = new http.Agent({ keepAlive: true });
  const proxy: S3Proxy = {
    endpoint: '',
    fate: () => 'pass',
    onDone: () => undefined,
    met: { pass: 0, refuse: 0, cut: 0, 'lose-answer': 0 },
    async close() {
      server.closeAllConnections();
      server.close();
      agent.destroy();
      await once(server, 'close');
    },
  };
  const server = http.createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  proxy.endpoint = `http://127.0.0.1:${address.port}`;
  return proxy;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    const path = decodeURIComponent(url.split('?')[0] ?? '');
    const asked = { method, key: path.replace(new RegExp(`^/${bucket}/?`), '') };
    const fate = proxy.fate(asked);
    proxy.met[fate] += 1;
    if (fate === 'cut') {
      request.socket.destroy();
      return;
    }
    if (fate === 'refuse') {
      request.resume();
      response.writeHead(503, { 'content-type': 'application/xml', connection: 'close' });
      response.end('<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>');
      return;
    }
    // The host's name stays: the request is signed with it.
    const passed = http.request({ hostname, port, method, path: url, headers, agent });
    request.pipe(passed);
    request.once('aborted', () => passed.destroy());
    const [answer] = (await once(passed, 'response')) as [IncomingMessage];
    if (fate === 'lose-answer') {
      answer.resume();
      await once(answer, 'end');
      request.socket.destroy();
      return;
    }
    if ((answer.statusCode ?? 500) < 300) await proxy.onDone(asked);
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  }
}
