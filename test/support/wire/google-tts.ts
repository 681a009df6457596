import { text as textOf } from 'node:stream/consumers';
import { type DoubleServer, type Mishap, sendJson, startDoubleServer, suffer } from './double-server.js';
import type { DoubleVoice } from './spoken-answers.js';

export interface GoogleTtsCall {
  path: string;
  key: string | undefined;
  body: {
    input?: { text?: string; ssml?: string };
    voice?: { languageCode?: string; name?: string };
    audioConfig?: { audioEncoding?: string; speakingRate?: number };
    enableTimePointing?: string[];
  };
}

export interface GoogleTtsDouble extends DoubleServer {
  calls: GoogleTtsCall[];
  mishaps: Mishap[];
  /** Whether it tells the marks' times. */
  tellsTimes: boolean;
}

export const googleTtsKey = 'AIza-double-tts-key-0123456789';

const refused = (code: number, status: string, message: string) => ({
  error: { code, status, message, details: [] },
});

/** A server that speaks `POST /v1beta1/text:synthesize` as the real one does. */
export async function startGoogleTts(voice: DoubleVoice): Promise<GoogleTtsDouble> {
  const double: Omit<GoogleTtsDouble, keyof DoubleServer> = { calls: [], mishaps: [], tellsTimes: true };
  const server = await startDoubleServer(async (request, response) => {
    const key = request.headers['x-goog-api-key'];
    const body = JSON.parse(await textOf(request)) as GoogleTtsCall['body'];
    const path = request.url ?? '';
    double.calls.push({ path, key: typeof key === 'string' ? key : undefined, body });
    const mishap = double.mishaps.shift();
    const said = body.input?.ssml === undefined ? undefined : readSsml(body.input.ssml);
    const text = said?.text ?? body.input?.text;
    if (mishap) suffer(response, mishap);
    else if (path !== '/v1beta1/text:synthesize') sendJson(response, 404, refused(404, 'NOT_FOUND', 'no'));
    else if (key !== googleTtsKey)
      sendJson(response, 400, refused(400, 'INVALID_ARGUMENT', `API key not valid: ${String(key)}`));
    else if (
      text === undefined ||
      body.audioConfig?.audioEncoding !== 'LINEAR16' ||
      !body.voice?.languageCode
    )
      sendJson(response, 400, refused(400, 'INVALID_ARGUMENT', 'Invalid request.'));
    else {
      const { words } = await voice.speak(text);
      const timepoints = said?.marks.map(({ name, at }) => ({
        markName: name,
        timeSeconds:
          words.find(({ charStart }) => charStart >= at)?.startSeconds ?? words.at(-1)?.endSeconds ?? 0,
      }));
      const audioContent = (await voice.wav(text)).toString('base64');
      sendJson(response, 200, { audioContent, ...(double.tellsTimes ? { timepoints } : {}) });
    }
  });
  return Object.assign(double, server);
}

/** The text of SSML that has marks and nothing else, and where they stand. @throws Error for any other markup */
function readSsml(ssml: string): { text: string; marks: { name: string; at: number }[] } {
  const inner = /^<speak>(.*)<\/speak>$/s.exec(ssml)?.[1];
  if (inner === undefined) throw new Error('no SSML');
  const marks: { name: string; at: number }[] = [];
  let text = '';
  for (const [token] of inner.matchAll(/<[^>]*>|[^<]+/g)) {
    const name = /^<mark name="(\w+)"\/>$/.exec(token)?.[1];
    if (name !== undefined) marks.push({ name, at: text.length });
    else if (token.startsWith('<')) throw new Error(`markup: ${token}`);
    else text += token.replace(/&(amp|lt|gt|quot|apos);/g, (_, entity: string) => characters[entity] ?? '');
  }
  return { text, marks };
}

const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
