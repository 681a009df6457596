import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

/** One message as it arrived. */
export interface ReceivedWebhook {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
  atSeconds: number;
}

/** What the receiver does with the next message; without one it answers 204. */
export type ReceiverTurn =
  { status: number; headers?: Record<string, string> } | { stall: true } | { cut: true } | { endless: true };

export interface WebhookReceiver {
  url: string;
  received: ReceivedWebhook[];
  turns: ReceiverTurn[];
  /** Connections that were made, whether or not anything was sent. */
  connections(): number;
  close(): Promise<void>;
}

/** A server that takes webhooks as a customer's does, and can misbehave as one does. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const turns: ReceiverTurn[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    void take(request, response).catch(() => response.destroy());
  });
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { method = '', url: path = '', headers } = request;
    received.push({ method, path, headers, body, atSeconds: Date.now() / 1000 });
    const turn = turns.shift() ?? { status: 204 };
    if ('stall' in turn) return;
    if ('cut' in turn) response.destroy();
    else if ('endless' in turn) {
      response.writeHead(200);
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const pour = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pour);
      pour();
    } else response.writeHead(turn.status, turn.headers).end();
  }

  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    turns,
    connections: () => connections,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** How far a receiver's clock may be from the sender's. */
const toleranceSeconds = 300;

/**
 * A receiver's own check by the text of the specification (https://github.com/standard-webhooks/standard-webhooks,
 * "Verifying webhook authenticity"). Knows nothing of how we sign.
 *
 * @throws Error that says what is wrong with the message.
 */
export function verifyWebhook(message: ReceivedWebhook, secret: string): { id: string; payload: unknown } {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    String(message.headers[name]),
  );
  const sentAt = Number(timestamp);
  if (!Number.isInteger(sentAt)) throw new Error('the timestamp is no whole number');
  if (Math.abs(message.atSeconds - sentAt) > toleranceSeconds) throw new Error('the message is too old');
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  if (base64 === undefined) throw new Error('the secret has another form');
  const hmac = createHmac('sha256', Buffer.from(base64, 'base64'));
  hmac
    .update(`${String(id)}.`)
    .update(`${String(timestamp)}.`)
    .update(message.body, 'utf8');
  const expected = hmac.digest();
  const isSigned = String(signatures)
    .split(' ')
    .some((signature) => {
      const [version, value = ''] = signature.split(',', 2);
      const given = Buffer.from(value, 'base64');
      return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
    });
  if (!isSigned) throw new Error('no signature fits');
  return { id: String(id), payload: JSON.parse(message.body) };
}
