import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** One request as it arrived. */
export interface GeminiCall {
  path: string;
  key: string | undefined;
  body: GeminiBody;
  /** What in the request the real service would not take; empty when all is well. */
  problems: string[];
}

export interface GeminiBody {
  contents?: { role?: string; parts?: { text?: string }[] }[];
  systemInstruction?: { parts?: { text?: string }[] };
  generationConfig?: { responseMimeType?: string; responseSchema?: { type?: string; properties?: object } };
}

/** What the double does with the next request; without one it answers by `reply`. */
export type GeminiTurn =
  | { json: unknown; finishReason?: string; thought?: string }
  | { text: string; finishReason?: string }
  | { blocked: string }
  | { body: string; status?: number }
  | { status: number; message?: string; retryDelay?: string; reason?: string }
  | { stall: true }
  | { cut: true };

export interface GeminiDouble {
  baseUrl: string;
  calls: GeminiCall[];
  /** Turns to take before `reply` answers again. */
  script: GeminiTurn[];
  reply: (call: GeminiCall) => GeminiTurn;
  close(): Promise<void>;
}

const key = 'AIza-double-key-0123456789';

/** The key that the double takes. */
export const geminiKey = key;

/** A server that speaks `POST /v1beta/models/{model}:generateContent` as the real one does. */
export async function startGemini(reply: GeminiDouble['reply']): Promise<GeminiDouble> {
  const double: GeminiDouble = { baseUrl: '', calls: [], script: [], reply, close };
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
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const call = toCall(request, Buffer.concat(chunks).toString('utf8'));
    double.calls.push(call);
    if (call.key !== key) {
      send(
        response,
        400,
        errorBody(400, `API key not valid. Got ${String(call.key)}`, 'INVALID_ARGUMENT', []),
      );
    } else if (call.problems.length > 0) {
      send(response, 400, errorBody(400, call.problems.join('; '), 'INVALID_ARGUMENT', []));
    } else take(response, double.script.shift() ?? double.reply(call));
  }
}

function toCall(request: IncomingMessage, text: string): GeminiCall {
  const header = request.headers['x-goog-api-key'];
  const problems: string[] = [];
  let body: GeminiBody = {};
  try {
    body = JSON.parse(text) as GeminiBody;
  } catch {
    problems.push('the body is not JSON');
  }
  const path = request.url ?? '';
  if (request.method !== 'POST') problems.push('not a POST');
  if (!/^\/v1beta\/models\/[\w.-]+:generateContent$/.test(path)) problems.push(`unknown path ${path}`);
  const turns = body.contents ?? [];
  if (turns.length === 0) problems.push('contents is empty');
  for (const [n, turn] of turns.entries()) {
    if (turn.role !== (n % 2 === 0 ? 'user' : 'model')) problems.push(`contents[${n.toString()}].role`);
    if (!turn.parts?.every((part) => typeof part.text === 'string' && part.text !== ''))
      problems.push('parts');
  }
  if (body.generationConfig?.responseMimeType !== 'application/json') problems.push('responseMimeType');
  if (body.generationConfig?.responseSchema?.type?.toUpperCase() !== 'OBJECT')
    problems.push('responseSchema');
  return { path, key: typeof header === 'string' ? header : undefined, body, problems };
}

function take(response: ServerResponse, turn: GeminiTurn): void {
  if ('stall' in turn) return;
  if ('cut' in turn) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"candidates": [');
    setTimeout(() => response.destroy(), 20);
  } else if ('body' in turn) send(response, turn.status ?? 200, turn.body);
  else if ('blocked' in turn) send(response, 200, { promptFeedback: { blockReason: turn.blocked } });
  else if ('status' in turn) {
    const details =
      turn.retryDelay === undefined
        ? []
        : [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: turn.retryDelay }];
    send(
      response,
      turn.status,
      errorBody(turn.status, turn.message ?? 'refused', turn.reason ?? 'UNKNOWN', details),
    );
  } else send(response, 200, candidate(turn));
}

function candidate(turn: Extract<GeminiTurn, { json: unknown } | { text: string }>): object {
  const text = 'text' in turn ? turn.text : JSON.stringify(turn.json);
  const half = Math.ceil(text.length / 2);
  const thoughts =
    'thought' in turn && turn.thought !== undefined ? [{ text: turn.thought, thought: true }] : [];
  // The real service may spread one answer over several parts.
  const parts = [...thoughts, { text: text.slice(0, half) }, { text: text.slice(half) }];
  return {
    candidates: [
      {
        content: { role: 'model', parts },
        finishReason: turn.finishReason ?? 'STOP',
        index: 0,
        safetyRatings: [],
      },
    ],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 20, totalTokenCount: 30 },
    modelVersion: 'double',
  };
}

function errorBody(code: number, message: string, status: string, details: object[]): object {
  return { error: { code, message, status, details } };
}

function send(response: ServerResponse, status: number, body: object | string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
