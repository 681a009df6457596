import { Client } from '@gradio/client';
import { z } from 'zod';
import { invalidInput } from '../failures.js';
import { withTimeLimit } from '../time-limit.js';
import { boundedBytes } from './bounded-answer.js';
import { voiceBadAnswer, type VoiceService, voiceUnavailable } from './voice-failures.js';

export interface F5App {
  /** Of the Gradio app, e.g. `http://gpu-host:7860`. */
  url: string;
  /** Longest wait for the speech, the app's own queue included. */
  timeoutMs: number;
}

/** By the names of the endpoint's parameters; source: `basic_tts` in F5-TTS's `infer_gradio.py`. */
export interface F5Parameters {
  ref_audio_input: File;
  /** Empty: the app transcribes the reference itself. */
  ref_text_input: string;
  gen_text_input: string;
  remove_silence: boolean;
  randomize_seed: boolean;
  seed_input: number;
  cross_fade_duration_slider: number;
  nfe_slider: number;
  speed_slider: number;
}

const endpoint = '/basic_tts';
const mostAudioBytes = 128 * 1024 * 1024;
const service: VoiceService = { name: 'F5-TTS', keyHint: 'the operator has to check F5_TTS_URL' };
export { service as f5Service };

const info = z.object({
  named_endpoints: z.record(
    z.string(),
    z.object({
      parameters: z.array(
        z.object({ parameter_name: z.string().optional(), parameter_has_default: z.boolean().optional() }),
      ),
    }),
  ),
});
const result = z.object({ data: z.array(z.unknown()).min(1) });
const audio = z.object({ path: z.string().min(1) });

/**
 * Has the app speak. The only file that knows `@gradio/client`.
 * @returns a WAV
 * @throws ApplicationFailure `voice_app_differs` where the app's own description does not fit, `voice_unavailable`,
 *   `voice_bad_answer`
 */
export async function speakWithF5(
  { url, timeoutMs }: F5App,
  parameters: F5Parameters,
  signal: AbortSignal,
): Promise<Buffer> {
  signal.throwIfAborted();
  const bound = withTimeLimit(signal, timeoutMs);
  let client: Client | undefined;
  // The package neither takes a signal nor ends its wait when its stream is closed.
  const ended = new Promise<never>((_, reject) => {
    bound.addEventListener('abort', () => reject(new Error('the wait is over')), { once: true });
  });
  const work = async (): Promise<Buffer> => {
    client = await boundClient(bound).connect(url, { events: ['data', 'status'], record_history: false });
    checkParameters(client.api_info, Object.keys(parameters));
    const answer = await client.predict(endpoint, { ...parameters });
    const file = audio.safeParse(result.safeParse(answer).data?.data[0]);
    if (!file.success) throw voiceBadAnswer(service);
    return download(client, url, file.data.path, bound);
  };
  try {
    return await Promise.race([work(), ended]);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error && error.name === 'ApplicationFailure') throw error;
    // What the package says holds addresses, and whatever the app said.
    throw voiceUnavailable(service);
  } finally {
    client?.close();
  }
}

/** A client all of whose requests end with `bound`, and go nowhere else than they are sent. */
function boundClient(bound: AbortSignal): typeof Client {
  return class extends Client {
    override fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
      return super.fetch(input, { ...init, redirect: 'error', signal: bound });
    }
  };
}

function checkParameters(described: unknown, ours: readonly string[]): void {
  const endpoints = info.safeParse(described).data?.named_endpoints;
  if (endpoints === undefined) throw voiceUnavailable(service);
  const theirs = endpoints[endpoint]?.parameters;
  if (theirs === undefined) throw differs(`it has no endpoint ${endpoint}`);
  const names = theirs.map(({ parameter_name }) => parameter_name ?? '');
  const missing = ours.filter((name) => !names.includes(name));
  if (missing.length > 0) throw differs(`it does not take ${missing.join(', ')}`);
  const unknown = theirs.filter(
    ({ parameter_name, parameter_has_default }) =>
      parameter_has_default !== true && !ours.includes(parameter_name ?? ''),
  );
  if (unknown.length > 0) throw differs(`it wants ${unknown.length} more`);
}

function differs(how: string) {
  return invalidInput({
    code: 'voice_app_differs',
    detail: `The F5-TTS app at F5_TTS_URL is another version than this program knows: ${how}.`,
  });
}

/** By the path, from the app itself: an address that it names could lead anywhere. */
async function download(client: Client, url: string, path: string, signal: AbortSignal): Promise<Buffer> {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const response = await fetch(`${url.replace(/\/+$/, '')}${client.api_prefix}/file=${encoded}`, {
    redirect: 'error',
    signal,
  });
  if (!response.ok) throw voiceUnavailable(service, response.status);
  return boundedBytes(response, mostAudioBytes);
}
