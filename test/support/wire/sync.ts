import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Busboy } from '@fastify/busboy';

/** One order or look as it arrived. */
export interface SyncCall {
  method: string;
  path: string;
  key: string | undefined;
  idempotencyKey: string | undefined;
  model: string | undefined;
  video: Buffer | undefined;
  audio: Buffer | undefined;
  /** What in the request the real service would not take; empty when all is well. */
  problems: string[];
}

/** What the double does with the next order or look; without one it works. */
export type SyncTurn =
  | { refuse: number; errorCode?: string; generationId?: string; retryAfter?: string; message?: string }
  | { status: string; errorCode?: string; outputUrl?: string | null }
  | { body: string; code?: number }
  | { stall: true }
  | { cut: true }
  /** The order is taken and the answer lost. */
  | { loseAnswer: true };

export interface SyncDouble {
  baseUrl: string;
  calls: SyncCall[];
  /** Turns for orders and for looks, taken before the double works again. */
  orders: SyncTurn[];
  looks: SyncTurn[];
  /** How the result's file is sent. */
  files: ('whole' | 'cut' | 'endless' | 'missing' | 'redirect')[];
  /** Generations by id. */
  generations: Map<string, { idempotencyKey: string; looks: number; result: Buffer }>;
  close(): Promise<void>;
}

/** The key that the double takes. */
export const syncKey = 'sk-sync-double-0123456789';

/**
 * A server that speaks Sync's `/v2/generate` as the real one does: an order with a known Idempotency-Key is the same
 * order again; a generation is PENDING, then PROCESSING, then COMPLETED.
 * @param make the finished video of an order.
 */
export async function startSync(
  make: (video: Buffer, audio: Buffer) => Promise<Buffer>,
): Promise<SyncDouble> {
  const double: SyncDouble = {
    ...{ baseUrl: '', calls: [], orders: [], looks: [], files: [] },
    generations: new Map(),
    close,
  };
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  double.baseUrl = `http://127.0.0.1:${address.port.toString()}`;
  return double;

  async function close(): Promise<void> {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const file = /^\/files\/(.+)$/.exec(path)?.[1];
    if (file !== undefined) {
      sendFile(request, response, file);
      return;
    }
    const call = await toCall(request);
    double.calls.push(call);
    if (call.key !== syncKey) refuse(response, 401, { message: `Invalid API key ${String(call.key)}` });
    else if (call.problems.length > 0) refuse(response, 400, { message: call.problems });
    else if (call.method === 'POST') await takeOrder(call, response);
    else look(call, response);
  }

  async function takeOrder(call: SyncCall, response: ServerResponse): Promise<void> {
    const turn = double.orders.shift();
    if (turn && !('loseAnswer' in turn)) {
      play(turn, response);
      return;
    }
    const idempotencyKey = call.idempotencyKey ?? '';
    const known = [...double.generations].find(([, order]) => order.idempotencyKey === idempotencyKey);
    const id = known?.[0] ?? `gen-${(double.generations.size + 1).toString()}`;
    if (!known) {
      const result = await make(call.video ?? Buffer.alloc(0), call.audio ?? Buffer.alloc(0));
      double.generations.set(id, { idempotencyKey, looks: 0, result });
    }
    if (turn) response.destroy();
    else
      send(response, 201, { id, createdAt: new Date().toISOString(), status: 'PENDING', model: call.model });
  }

  function look(call: SyncCall, response: ServerResponse): void {
    const turn = double.looks.shift();
    const id = call.path.slice('/v2/generate/'.length);
    const generation = double.generations.get(id);
    if (turn) {
      play(turn, response, id);
      return;
    }
    if (!generation) {
      refuse(response, 404, { message: 'Generation not found' });
      return;
    }
    generation.looks += 1;
    const status = ['PENDING', 'PROCESSING'][generation.looks - 1] ?? 'COMPLETED';
    const outputUrl = status === 'COMPLETED' ? `${double.baseUrl}/files/${id}` : null;
    send(response, 200, { id, createdAt: new Date().toISOString(), status, model: 'lipsync-2', outputUrl });
  }

  function sendFile(request: IncomingMessage, response: ServerResponse, id: string): void {
    const manner = double.files.shift() ?? 'whole';
    const result = double.generations.get(id)?.result;
    if (request.headers['x-api-key'] !== undefined || !result || manner === 'missing') {
      response.writeHead(404).end();
    } else if (manner === 'redirect') response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end();
    else if (manner === 'cut') {
      response.writeHead(200, { 'content-length': result.length });
      response.write(result.subarray(0, result.length >> 1));
      setTimeout(() => response.destroy(), 20);
    } else if (manner === 'endless') {
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', pour);
      pour();
    } else response.writeHead(200, { 'content-type': 'video/mp4' }).end(result);
  }
}

async function toCall(request: IncomingMessage): Promise<SyncCall> {
  const header = (name: string) => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const call: SyncCall = {
    method: request.method ?? '',
    path: request.url ?? '',
    key: header('x-api-key'),
    idempotencyKey: header('idempotency-key'),
    ...{ model: undefined, video: undefined, audio: undefined },
    problems: [],
  };
  if (call.method === 'GET') {
    if (!/^\/v2\/generate\/[\w.~-]+$/.test(call.path)) call.problems.push(`unknown path ${call.path}`);
    return call;
  }
  if (call.method !== 'POST' || call.path !== '/v2/generate') call.problems.push(`unknown path ${call.path}`);
  if (!/^[A-Za-z0-9._~-]{1,128}$/.test(call.idempotencyKey ?? '')) call.problems.push('idempotency-key');
  const { fields, files } = await readForm(request);
  call.model = fields.get('model');
  if (call.model !== 'lipsync-2') call.problems.push('model must be known');
  call.video = files.get('video');
  call.audio = files.get('audio');
  if (!call.video?.length) call.problems.push('video must be a file');
  if (!call.audio?.length) call.problems.push('audio must be a file');
  return call;
}

async function readForm(request: IncomingMessage) {
  const fields = new Map<string, string>();
  const files = new Map<string, Buffer>();
  const type = request.headers['content-type'] ?? '';
  const form = new Busboy({ headers: { ...request.headers, 'content-type': type } });
  form.on('field', (name, value) => fields.set(name, value));
  form.on('file', (name, file) => {
    const chunks: Buffer[] = [];
    file.on('data', (chunk: Buffer) => chunks.push(chunk));
    file.on('end', () => files.set(name, Buffer.concat(chunks)));
  });
  await pipeline(request, form);
  return { fields, files };
}

function play(turn: SyncTurn, response: ServerResponse, id = 'gen-x'): void {
  if ('stall' in turn) return;
  if ('cut' in turn || 'loseAnswer' in turn) response.destroy();
  else if ('body' in turn) send(response, turn.code ?? 200, turn.body);
  else if ('status' in turn) {
    const { status, errorCode, outputUrl } = turn;
    send(response, 200, {
      ...{ id, createdAt: new Date().toISOString(), status, model: 'lipsync-2', outputUrl },
      ...(errorCode === undefined ? {} : { error: 'It went wrong.', error_code: errorCode }),
    });
  } else {
    const { refuse: code, retryAfter, message, ...body } = turn;
    if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
    refuse(response, code, { message: message ?? 'refused', ...body });
  }
}

function refuse(response: ServerResponse, statusCode: number, body: object): void {
  send(response, statusCode, { statusCode, ...body });
}

function send(response: ServerResponse, status: number, body: object | string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
