import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What any double can do with a request instead of serving it. */
export type Mishap =
  | { status: number; body?: unknown; retryAfter?: string }
  | { wrongBody: string }
  | { stall: true }
  | { cut: true };

export interface DoubleServer {
  baseUrl: string;
  close(): Promise<void>;
}

/** An HTTP server on a free port of this host. What `answer` throws cuts the connection. */
export async function startDoubleServer(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<DoubleServer> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    baseUrl: `http://127.0.0.1:${address.port.toString()}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function suffer(response: ServerResponse, mishap: Mishap): void {
  if ('stall' in mishap) return;
  if ('cut' in mishap) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' });
    response.write('{"audio');
    setTimeout(() => response.destroy(), 20);
  } else if ('wrongBody' in mishap) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(mishap.wrongBody);
  } else {
    if (mishap.retryAfter !== undefined) response.setHeader('retry-after', mishap.retryAfter);
    sendJson(response, mishap.status, mishap.body ?? {});
  }
}
