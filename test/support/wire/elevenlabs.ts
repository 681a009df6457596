import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type DoubleServer, type Mishap, sendJson, startDoubleServer, suffer } from './double-server.js';
import { type FormPart, readMultipart } from './multipart.js';
import type { DoubleVoice } from './spoken-answers.js';

export interface ElevenLabsCall {
  method: string;
  path: string;
  key: string | undefined;
  /** Of a speech request. */
  body: Record<string, unknown> | undefined;
  /** Parts of a multipart request by name. */
  form: Map<string, FormPart> | undefined;
}

export interface ElevenLabsDouble extends DoubleServer {
  calls: ElevenLabsCall[];
  /** Keys that it takes. */
  keys: Set<string>;
  /** Voices by account. */
  voices: Map<string, Set<string>>;
  /** What it does with the next speech requests, and with the next clones. */
  mishaps: Mishap[];
  cloneMishaps: Mishap[];
  alignment: 'characters' | 'null' | 'other-text';
  requiresVerification: boolean;
}

/** The operator's key, as the double takes it. */
export const elevenLabsKey = 'sk_double_operator_0123456789abcdef';
export const ownElevenLabsKey = 'sk_double_own_fedcba9876543210feed';

const refused = (status: string, message: string) => ({ detail: { status, message } });

/** A server that speaks ElevenLabs' speech and cloning as the real one does. Every account has the voice `rachel`. */
export async function startElevenLabs(voice: DoubleVoice): Promise<ElevenLabsDouble> {
  const keys = new Set([elevenLabsKey, ownElevenLabsKey]);
  const double: Omit<ElevenLabsDouble, keyof DoubleServer> = {
    ...{ calls: [], keys, voices: new Map(), mishaps: [], cloneMishaps: [] },
    ...{ alignment: 'characters', requiresVerification: false },
  };
  const server = await startDoubleServer(async (request, response) => {
    const call = await toCall(request);
    double.calls.push(call);
    if (call.key === undefined || !double.keys.has(call.key)) {
      sendJson(response, 401, refused('invalid_api_key', `Invalid API key ${String(call.key)}`));
      return;
    }
    const voices = double.voices.get(call.key) ?? new Set(['rachel']);
    double.voices.set(call.key, voices);
    if (call.path === '/v1/voices/add') clone(call, voices, response);
    else await speak(call, voices, response);
  });
  return Object.assign(double, server);

  function clone({ form }: ElevenLabsCall, voices: Set<string>, response: ServerResponse): void {
    const mishap = double.cloneMishaps.shift();
    if (mishap) suffer(response, mishap);
    else if (!form?.get('name')?.bytes.length || !form.get('files')?.bytes.length) {
      sendJson(response, 422, {
        detail: [{ loc: ['body', 'files'], msg: 'field required', type: 'missing' }],
      });
    } else {
      const id = `clone${voices.size}`;
      voices.add(id);
      sendJson(response, 200, { voice_id: id, requires_verification: double.requiresVerification });
    }
  }

  async function speak({ path, body }: ElevenLabsCall, voices: Set<string>, response: ServerResponse) {
    const url = new URL(path, 'http://double');
    const id = /^\/v1\/text-to-speech\/([^/]+)\/with-timestamps$/.exec(url.pathname)?.[1];
    const mishap = double.mishaps.shift();
    const text = body?.['text'];
    const model = String(body?.['model_id']);
    if (mishap) suffer(response, mishap);
    else if (id === undefined || url.searchParams.get('output_format') !== 'mp3_44100_128') {
      sendJson(response, 404, { detail: 'Not Found' });
    } else if (typeof text !== 'string' || text === '') {
      sendJson(response, 422, {
        detail: [{ loc: ['body', 'text'], msg: 'field required', type: 'missing' }],
      });
    } else if (body?.['language_code'] !== undefined && !/_v2_5$|_v3$/.test(model)) {
      sendJson(response, 400, refused('unsupported_language', 'The model takes no language.'));
    } else if (!voices.has(decodeURIComponent(id))) {
      sendJson(response, 400, refused('voice_not_found', `A voice with ID ${id} was not found.`));
    } else {
      const audio = await voice.mp3(text);
      sendJson(response, 200, {
        audio_base64: audio.toString('base64'),
        alignment: double.alignment === 'null' ? null : await alignmentOf(text),
        normalized_alignment: null,
      });
    }
  }

  /** Each character has an equal part of its word; what is between words ends with the next. */
  async function alignmentOf(said: string) {
    const text = double.alignment === 'other-text' ? `${said} indeed` : said;
    const { words } = await voice.speak(text);
    const characters = [...text];
    let offset = 0;
    let reached = 0;
    const times = characters.map((character) => {
      const at = offset;
      offset += character.length;
      const word = words.find(({ charStart, charEnd }) => at >= charStart && at < charEnd);
      if (word === undefined) return { start: reached, end: reached };
      const each = (word.endSeconds - word.startSeconds) / (word.charEnd - word.charStart);
      const start = word.startSeconds + each * (at - word.charStart);
      reached = start + each;
      return { start, end: reached };
    });
    return {
      characters,
      character_start_times_seconds: times.map(({ start }) => start),
      character_end_times_seconds: times.map(({ end }) => end),
    };
  }
}

async function toCall(request: IncomingMessage): Promise<ElevenLabsCall> {
  const bytes = await buffer(request);
  const type = request.headers['content-type'] ?? '';
  const key = request.headers['xi-api-key'];
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    key: typeof key === 'string' ? key : undefined,
    body: type.startsWith('application/json')
      ? (JSON.parse(bytes.toString()) as ElevenLabsCall['body'])
      : undefined,
    form: type.startsWith('multipart/') ? await readMultipart(bytes, type) : undefined,
  };
}
