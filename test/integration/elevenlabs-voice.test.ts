import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createElevenLabsVoice } from '../../activities/tts/elevenlabs-voice.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import type { NameVoiceProvider } from '../../activities/tts/recipients/name-voices.js';
import { createVoiceClones } from '../../activities/tts/voice-clones.js';
import { expectSpeech, failureOf, never, say, type Saying } from '../support/outside-voices.js';
import { createTestDatabase, createTestFolder, type TestDatabase } from '../support/services.js';
import {
  elevenLabsKey,
  ownElevenLabsKey,
  startElevenLabs,
  type ElevenLabsDouble,
} from '../support/wire/elevenlabs.js';
import { createDoubleVoice } from '../support/wire/spoken-answers.js';
import type { Mishap } from '../support/wire/double-server.js';

const espeak = createEspeakVoice();
const voice = createDoubleVoice();
const sample = `${'ab'.repeat(32)}.wav`;
const rachel = { voiceId: 'rachel' };

let database: TestDatabase;
let double: ElevenLabsDouble;
let make: (options?: { apiKey?: string; timeoutMs?: number }) => NameVoiceProvider;
let provider: NameVoiceProvider;

beforeAll(async () => {
  [database, double] = await Promise.all([createTestDatabase(), startElevenLabs(voice)]);
  const folder = await createTestFolder('elevenlabs');
  const path = join(folder.path, 'sample.wav');
  await writeFile(path, await voice.wav('This is how I speak.'));
  make = (options = { apiKey: elevenLabsKey }) =>
    createElevenLabsVoice({
      ...{ apiKey: options.apiKey, baseUrl: double.baseUrl, modelId: 'eleven_multilingual_v2' },
      tools: { ffmpegPath: inject('ffmpegPath'), ffprobePath: inject('ffprobePath') },
      scratchDir: join(folder.path, 'scratch'),
      reference: espeak,
      clones: createVoiceClones(database.db),
      openCredential: (id, userId) =>
        Promise.resolve(id === 'mine' && userId === 'user' ? ownElevenLabsKey : undefined),
      fetchSample: () => Promise.resolve(path),
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    });
  provider = make();
});
afterEach(async () => {
  for (const list of [double.calls, double.mishaps, double.cloneMishaps]) list.length = 0;
  double.voices.clear();
  Object.assign(double, { alignment: 'characters', requiresVerification: false });
  await database.db.deleteFrom('generation_cache').execute();
});
afterAll(async () => {
  espeak.close();
  voice.close();
  await Promise.all([double.close(), database.drop()]);
});

const failure = (saying: Saying) => failureOf(say(provider, saying), [elevenLabsKey, ownElevenLabsKey]);
const failureAfter = (mishap: Mishap) => {
  double.mishaps.push(mishap);
  const hurried = make({ apiKey: elevenLabsKey, timeoutMs: 1_000 });
  return failureOf(say(hurried, { choice: rachel }), [elevenLabsKey]);
};
const refused = (status: string) => ({ detail: { status, message: `no, not with ${elevenLabsKey}` } });

describe('speech', () => {
  it('has its words put together from characters', async () => {
    const spoken = await say(provider, { choice: rachel });
    expectSpeech(spoken, ['Hello', 'Ada', 'Lovelace']);
    const truth = await voice.speak('Hello Ada Lovelace');
    for (const [n, { startSeconds }] of spoken.words.entries()) {
      expect(Math.abs(startSeconds - (truth.words[n]?.startSeconds ?? 0))).toBeLessThan(0.06);
    }
    const [call] = double.calls;
    expect(call?.path).toBe('/v1/text-to-speech/rachel/with-timestamps?output_format=mp3_44100_128');
    expect(call?.body).toEqual({ text: 'Hello Ada Lovelace', model_id: 'eleven_multilingual_v2' });
  });

  it.each(['null', 'other-text'] as const)('is aligned here where the alignment is %s', async (alignment) => {
    double.alignment = alignment;
    expectSpeech(await say(provider, { choice: rachel }), ['Hello', 'Ada', 'Lovelace']);
  });

  it('names the language to models that take it, and a speed where one is wanted', async () => {
    await say(provider, {
      language: 'en-GB',
      choice: { ...rachel, modelId: 'eleven_turbo_v2_5', speed: 0.9 },
    });
    expect(double.calls[0]?.body).toMatchObject({ language_code: 'en', voice_settings: { speed: 0.9 } });
  });

  it('keeps voices of one account apart from those of another in the cache', async () => {
    const choice = {
      provider: 'elevenlabs',
      voiceId: 'rachel',
      modelId: null,
      speed: 1,
      sample: null,
    } as const;
    const voices = await Promise.all(
      [null, 'mine'].map(async (credentialId) => {
        const asked = { userId: 'user', choice: { ...choice, credentialId }, language: 'en', text: 'Ada' };
        return (await provider.ready(asked, never)).voiceId;
      }),
    );
    expect(voices[0]).not.toBe(voices[1]);
    expect(voices.join()).not.toContain(ownElevenLabsKey);
  });
});

describe('keys', () => {
  it('is the user’s own where they bring one, and nobody else’s', async () => {
    await say(provider, { choice: { ...rachel, credentialId: 'mine' } });
    expect(double.calls[0]?.key).toBe(ownElevenLabsKey);
    const other = await failure({ userId: 'other', choice: { ...rachel, credentialId: 'mine' } });
    expect(other).toMatchObject({ type: 'credential_missing', nonRetryable: true });
  });

  it('can be missing', async () => {
    const error = await failureOf(say(make({}), { choice: rachel }));
    expect(error).toMatchObject({ type: 'voice_not_configured', nonRetryable: true });
    await say(make({}), { choice: { ...rachel, credentialId: 'mine' } });
  });
});

describe('cloning', () => {
  const cloned = { sample };

  it('is done once an account and sample, also by two hosts at once', async () => {
    const other = make();
    await Promise.all([provider, provider, other].map((host) => say(host, { choice: cloned })));
    const clones = double.calls.filter(({ path }) => path === '/v1/voices/add');
    expect(clones).toHaveLength(1);
    expect(clones[0]?.form?.get('files')?.bytes.subarray(0, 4).toString()).toBe('RIFF');
    expect(clones[0]?.form?.get('name')?.bytes.toString()).toMatch(/^callsheet-abab/);
    await say(provider, { choice: { ...cloned, credentialId: 'mine' } });
    expect(double.calls.filter(({ path }) => path === '/v1/voices/add')).toHaveLength(2);
  });

  it('is done again when the voice was removed there', async () => {
    await say(provider, { choice: cloned });
    double.voices.clear();
    expect(await failure({ choice: cloned })).toMatchObject({
      type: 'voice_clone_gone',
      nonRetryable: false,
    });
    await say(provider, { choice: cloned });
    expect(double.calls.filter(({ path }) => path === '/v1/voices/add')).toHaveLength(2);
  });

  it('says which voice has to be verified, and does not make another', async () => {
    double.requiresVerification = true;
    const first = await failure({ choice: cloned });
    expect(first).toMatchObject({ type: 'voice_needs_verification', nonRetryable: true });
    expect(first.message).toContain('clone1');
    await failure({ choice: cloned });
    expect(double.calls).toHaveLength(1);
  });

  it('tells of an account that is full', async () => {
    double.cloneMishaps.push({ status: 400, body: refused('voice_limit_reached') });
    expect(await failure({ choice: cloned })).toMatchObject({
      type: 'voice_limit_reached',
      nonRetryable: true,
    });
  });

  it('needs a sample', async () => {
    expect(await failure({})).toMatchObject({ type: 'voice_sample_missing', nonRetryable: true });
  });
});

describe('failures', () => {
  it.each([
    [401, 'invalid_api_key', 'voice_key_refused'],
    [401, 'quota_exceeded', 'voice_quota_exceeded'],
    [400, 'voice_not_found', 'voice_unknown'],
    [400, 'max_character_limit_exceeded', 'voice_text_too_long'],
    [400, 'something_new', 'voice_request_refused'],
  ])('%i %s is final', async (status, word, type) => {
    const error = await failureAfter({ status, body: refused(word) });
    expect(error).toMatchObject({ type, nonRetryable: true });
    expect(double.calls).toHaveLength(1);
  });

  it('a real refusal of the key is final, too', async () => {
    const error = await failureOf(say(make({ apiKey: 'sk_nobody_knows_it' }), { choice: rachel }), [
      'sk_nobody',
    ]);
    expect(error).toMatchObject({ type: 'voice_key_refused', nonRetryable: true });
  });

  it('422 names what was refused', async () => {
    const body = { detail: [{ loc: ['body', 'text'], msg: 'bad', type: 'x' }] };
    const error = await failureAfter({ status: 422, body });
    expect(error).toMatchObject({ type: 'voice_request_refused', nonRetryable: true });
    expect(error.message).toContain('(text)');
  });

  it('429 is tried again, after the delay that it names', async () => {
    const plain = await failureAfter({ status: 429, body: refused('too_many_concurrent_requests') });
    expect(plain).toMatchObject({ type: 'voice_rate_limited', nonRetryable: false });
    expect(plain.nextRetryDelay ?? undefined).toBeUndefined();
    const delayed = await failureAfter({ status: 429, retryAfter: '7' });
    expect(delayed).toMatchObject({ type: 'voice_rate_limited', nextRetryDelay: 7_000 });
  });

  it.each<[string, Mishap, string]>([
    ['500', { status: 500 }, 'voice_unavailable'],
    ['a stall', { stall: true }, 'voice_unavailable'],
    ['a cut connection', { cut: true }, 'voice_unavailable'],
    ['a body that is no JSON', { wrongBody: '<html>' }, 'voice_bad_answer'],
    ['a body of another form', { wrongBody: '{"audio": 1}' }, 'voice_bad_answer'],
    ['a sound that is none', { wrongBody: '{"audio_base64":"AAAA","alignment":null}' }, 'voice_bad_answer'],
  ])('%s is tried again', async (_, mishap, type) => {
    expect(await failureAfter(mishap)).toMatchObject({ type, nonRetryable: false });
    expect(double.calls).toHaveLength(1);
  });

  it('ends at once when the job does', async () => {
    double.mishaps.push({ stall: true });
    const cancel = new AbortController();
    const saying = say(provider, { choice: rachel, signal: cancel.signal });
    setTimeout(() => cancel.abort(new Error('cancelled')), 100);
    await expect(saying).rejects.toThrow('cancelled');
  });
});
