import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createCommandVoice } from '../../activities/tts/command-voice.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import { createF5Voice } from '../../activities/tts/f5.js';
import { createGoogleVoice } from '../../activities/tts/google.js';
import type { OutsideSpeechDeps } from '../../activities/tts/outside-speech.js';
import type { NameVoiceProvider } from '../../activities/tts/recipients/name-voices.js';
import { voiceRate } from '../../activities/tts/voice.js';
import { expectSpeech, failureOf, say } from '../support/outside-voices.js';
import { createTestFolder } from '../support/services.js';
import type { Mishap } from '../support/wire/double-server.js';
import { f5Parameters, startF5, type F5Double } from '../support/wire/f5-tts.js';
import { googleTtsKey, startGoogleTts, type GoogleTtsDouble } from '../support/wire/google-tts.js';
import { createDoubleVoice } from '../support/wire/spoken-answers.js';

const espeak = createEspeakVoice();
const voice = createDoubleVoice();
const three = ['Hello', 'Ada', 'Lovelace'];
let folder: string;
let outside: OutsideSpeechDeps;

beforeAll(async () => {
  folder = (await createTestFolder('voices')).path;
  outside = {
    tools: { ffmpegPath: inject('ffmpegPath'), ffprobePath: inject('ffprobePath') },
    scratchDir: join(folder, 'scratch'),
    reference: espeak,
  };
});
afterAll(() => {
  espeak.close();
  voice.close();
});

const sooner: [string, Mishap, string][] = [
  ['500', { status: 500 }, 'voice_unavailable'],
  ['a stall', { stall: true }, 'voice_unavailable'],
  ['a cut connection', { cut: true }, 'voice_unavailable'],
];

describe('google', () => {
  let double: GoogleTtsDouble;
  let provider: NameVoiceProvider;
  let hurried: NameVoiceProvider;

  beforeAll(async () => {
    double = await startGoogleTts(voice);
    const { baseUrl } = double;
    provider = createGoogleVoice({ ...outside, apiKey: googleTtsKey, baseUrl });
    hurried = createGoogleVoice({ ...outside, apiKey: googleTtsKey, baseUrl, timeoutMs: 1_000 });
  });
  afterEach(() => {
    double.calls.length = 0;
    double.tellsTimes = true;
  });
  afterAll(() => double.close());

  const failureAfter = (mishap: Mishap) => {
    double.mishaps.push(mishap);
    return failureOf(say(hurried), [googleTtsKey]);
  };

  it('times words by marks, its key in a header alone', async () => {
    const spoken = await say(provider);
    expectSpeech(spoken, three);
    const truth = await voice.speak('Hello Ada Lovelace');
    for (const [n, { startSeconds }] of spoken.words.entries()) {
      expect(Math.abs(startSeconds - (truth.words[n]?.startSeconds ?? 0))).toBeLessThan(0.05);
    }
    const [call] = double.calls;
    expect(call).toMatchObject({ path: '/v1beta1/text:synthesize', key: googleTtsKey });
    expect(JSON.stringify(call?.body)).not.toContain(googleTtsKey);
  });

  it('aligns them here where it is told no times', async () => {
    double.tellsTimes = false;
    expectSpeech(await say(provider), three);
  });

  it('says text, whatever markup is in it', async () => {
    const text = 'Tom & "Jerry" <break time="9s"/> </speak><audio src=\'x\'/>\u0007 \ud800 ok';
    await say(provider, { text });
    const { ssml = '' } = double.calls[0]?.body.input ?? {};
    expect(ssml.replaceAll(/<mark name="\w+"\/>/g, '')).toBe(
      '<speak>Tom &amp; &quot;Jerry&quot; &lt;break time=&quot;9s&quot;/&gt; ' +
        '&lt;/speak&gt;&lt;audio src=&apos;x&apos;/&gt;    ok</speak>',
    );
  });

  it('asks a named voice in its own language, and one without marks for plain text', async () => {
    await say(provider, { choice: { voiceId: 'en-GB-Neural2-A', speed: 0.9 } });
    await say(provider, { choice: { voiceId: 'en-US-Chirp3-HD-Kore' } });
    const [neural, chirp] = double.calls.map(({ body }) => body);
    expect(neural).toMatchObject({
      voice: { languageCode: 'en-GB', name: 'en-GB-Neural2-A' },
      audioConfig: { audioEncoding: 'LINEAR16', speakingRate: 0.9 },
      enableTimePointing: ['SSML_MARK'],
    });
    expect(chirp?.input).toEqual({ text: 'Hello Ada Lovelace' });
    expect(chirp).not.toHaveProperty('enableTimePointing');
  });

  it.each<[string, Mishap, string]>([
    ...sooner,
    ['a wrong body', { wrongBody: '[]' }, 'voice_bad_answer'],
    ['no sound', { wrongBody: '{"audioContent":"AAAA"}' }, 'voice_bad_answer'],
    ['429', { status: 429, body: { error: { message: 'slow down' } } }, 'voice_rate_limited'],
  ])('%s is tried again', async (_, mishap, type) => {
    expect(await failureAfter(mishap)).toMatchObject({ type, nonRetryable: false });
    expect(double.calls).toHaveLength(1);
  });

  it('429 is tried again after the delay that it names', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '22s' }];
    const error = await failureAfter({ status: 429, body: { error: { message: 'quota', details } } });
    expect(error).toMatchObject({ type: 'voice_rate_limited', nextRetryDelay: 22_000 });
  });

  it.each<[string, Mishap, string]>([
    ['400', { status: 400, body: { error: { status: 'INVALID_ARGUMENT' } } }, 'voice_request_refused'],
    [
      'a refused key',
      { status: 400, body: { error: { message: 'API key not valid' } } },
      'voice_key_refused',
    ],
    ['403', { status: 403 }, 'voice_key_refused'],
    [
      'a day’s quota',
      { status: 429, body: { error: { message: 'Requests per day' } } },
      'voice_quota_exceeded',
    ],
  ])('%s is final', async (_, mishap, type) => {
    expect(await failureAfter(mishap)).toMatchObject({ type, nonRetryable: true });
  });
});

describe('f5', () => {
  let double: F5Double;
  let provider: NameVoiceProvider;
  let hurried: NameVoiceProvider;
  const choice = { sample: `${'cd'.repeat(32)}.wav` };

  beforeAll(async () => {
    double = await startF5(voice);
    const path = join(folder, 'sample.wav');
    await writeFile(path, await voice.wav('This is how I speak.'));
    const fetchSample = () => Promise.resolve(path);
    provider = createF5Voice({ ...outside, url: double.baseUrl, fetchSample });
    hurried = createF5Voice({ ...outside, url: double.baseUrl, fetchSample, timeoutMs: 1_500 });
  });
  afterEach(() => {
    for (const list of [double.spoken, double.uploads, double.requests]) list.length = 0;
    double.parameters = f5Parameters;
  });
  afterAll(() => double.close());

  it('speaks like the sample, with its words aligned', async () => {
    expectSpeech(await say(provider, { choice: { ...choice, speed: 0.9 } }), three);
    expect(double.spoken).toEqual([
      expect.objectContaining({
        ...{ gen_text_input: 'Hello Ada Lovelace', ref_text_input: '', remove_silence: false },
        ...{ randomize_seed: false, seed_input: 0, cross_fade_duration_slider: 0.15 },
        ...{ nfe_slider: 32, speed_slider: 0.9 },
      }),
    ]);
    expect(double.uploads[0]?.subarray(0, 4).toString()).toBe('RIFF');
    expect(double.requests.filter((path) => path.includes('/info'))).toHaveLength(1);
  });

  it.each([
    ['wants more', [...f5Parameters, { name: 'style', component: 'Textbox' }]],
    ['takes less', f5Parameters.slice(0, 5)],
  ])('is refused before anything is asked of it when it %s', async (_, parameters) => {
    double.parameters = parameters;
    const error = await failureOf(say(provider, { choice }));
    expect(error).toMatchObject({ type: 'voice_app_differs', nonRetryable: true });
    expect(double.uploads).toEqual([]);
  });

  it('takes a parameter that has a default for what it is', async () => {
    double.parameters = [...f5Parameters, { name: 'style', component: 'Textbox', hasDefault: true }];
    expectSpeech(await say(provider, { choice }), three);
  });

  it.each<[string, Mishap]>([
    ['500', { status: 500 }],
    ['a stall', { stall: true }],
    ['a wrong body', { wrongBody: 'no' }],
  ])('%s is tried again', async (_, mishap) => {
    double.mishaps.push(mishap);
    const error = await failureOf(say(hurried, { choice }));
    expect(error).toMatchObject({ type: 'voice_unavailable', nonRetryable: false });
  });

  it.each([
    ['fails', 'voice_unavailable'],
    ['never', 'voice_unavailable'],
    ['breaks-off', 'voice_unavailable'],
    ['without-file', 'voice_bad_answer'],
  ] as const)('an order that ends so: %s, is tried again', async (ending, type) => {
    double.endings.push(ending);
    const error = await failureOf(say(ending === 'never' ? hurried : provider, { choice }), ['CUDA', '/srv']);
    expect(error).toMatchObject({ type, nonRetryable: false });
  });

  it('is tried again when it does not describe itself', async () => {
    // The package asks twice.
    double.infoMishaps.push({ status: 500 }, { status: 500 });
    expect(await failureOf(say(provider, { choice }))).toMatchObject({ type: 'voice_unavailable' });
  });

  it('ends with its job, and needs a sample and no voice', async () => {
    double.endings.push('never');
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(new Error('cancelled')), 300);
    await expect(say(provider, { choice, signal: cancel.signal })).rejects.toThrow('cancelled');
    expect(await failureOf(say(provider))).toMatchObject({ type: 'voice_sample_missing' });
    expect(await failureOf(say(provider, { choice: { ...choice, voiceId: 'x' } }))).toMatchObject({
      type: 'voice_unknown',
    });
  });
});

describe('command', () => {
  /** Keeps what it was given, and writes a WAV that it has ready. */
  const program = `#!/bin/sh
cat > "$(dirname "$0")/text"; printf '%s\\n' "$@" > "$(dirname "$0")/args"; env > "$(dirname "$0")/env"
cp "$(dirname "$0")/ready.wav" "$4"
`;
  const make = (template: string[], more = {}) => createCommandVoice({ ...outside, template, ...more });
  const script = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    await chmod(path, 0o755);
    return path;
  };

  it('gets the text on standard input, and as arguments what the operator wrote', async () => {
    await writeFile(join(folder, 'ready.wav'), await voice.wav('Hello Ada Lovelace'));
    const say1 = await script('say', program);
    const provider = make([say1, '--lang', '{lang}', '{out}']);
    // The program writes where its fourth argument says.
    const spaced = make([say1, '--lang', '{lang}', '--out', '{out}']);
    expect(await failureOf(say(provider))).toMatchObject({ type: 'voice_unavailable' });
    const text = 'Hello; $(touch x) --help `id` Ada';
    await say(spaced, { text, language: 'en-GB' });
    expect(await readFile(join(folder, 'text'), 'utf8')).toBe(text);
    const args = (await readFile(join(folder, 'args'), 'utf8')).trim().split('\n');
    expect(args).toEqual(['--lang', 'en-GB', '--out', expect.stringMatching(/\/speech\.wav$/)]);
    expect(await readFile(join(folder, 'env'), 'utf8')).not.toContain('DATABASE_URL');
    expectSpeech(await say(spaced), three);
    const slow = await say(spaced, { choice: { speed: 0.8 } });
    const usual = await say(spaced);
    expect(slow.pcm.length / usual.pcm.length).toBeCloseTo(1.25, 1);
    expect(slow.pcm.length / voiceRate).toBeGreaterThan(1);
  });

  it('is another voice when it is another command', async () => {
    const choice = { provider: 'command', voiceId: null, modelId: null, speed: 1 } as const;
    const asked = {
      userId: 'u',
      language: 'en',
      text: 'x',
      choice: { ...choice, credentialId: null, sample: null },
    };
    const signal = new AbortController().signal;
    const ids = await Promise.all(
      [make(['/bin/a', '{out}']), make(['/bin/b', '{out}'])].map(
        async (provider) => (await provider.ready(asked, signal)).voiceId,
      ),
    );
    expect(ids[0]).not.toBe(ids[1]);
  });

  it.each([
    ['fails', 'exit 3', 'voice_unavailable'],
    ['writes nothing', 'true', 'voice_bad_answer'],
    ['writes no sound', 'echo hello > "$1"', 'voice_bad_answer'],
    [
      'names a file elsewhere',
      'printf "ffconcat version 1.0\\nfile /etc/passwd\\n" > "$1"',
      'voice_bad_answer',
    ],
    ['writes without end', 'cat /dev/zero > "$1"', 'voice_bad_answer'],
    ['does not end', 'sleep 600', 'voice_timeout'],
  ])('a program that %s is tried again', async (name, body, type) => {
    const path = await script(`bad-${name.replaceAll(' ', '-')}`, `#!/bin/sh\n${body}\n`);
    const provider = make([path, '{out}'], { timeoutMs: 2_000, maxBytes: 5_000_000 });
    expect(await failureOf(say(provider))).toMatchObject({ type, nonRetryable: false });
    expect(await readdir(join(outside.scratchDir, String(process.pid)))).toEqual([]);
  });

  it('takes neither a voice nor anything that is no language', async () => {
    const provider = make(['/bin/true', '{out}']);
    expect(await failureOf(say(provider, { choice: { voiceId: 'x' } }))).toMatchObject({
      type: 'voice_unknown',
    });
    expect(await failureOf(say(provider, { language: '--x' }))).toMatchObject({
      type: 'language_unsupported',
    });
    expect(await failureOf(say(make(['/no/such/program', '{out}'])))).toMatchObject({
      type: 'voice_unavailable',
    });
  });

  it('ends with its job, and its children with it', async () => {
    const path = await script(
      'forks',
      '#!/bin/sh\n(sleep 300; touch "$0.alive") & echo $! > "$0.child"; wait\n',
    );
    const cancel = new AbortController();
    const saying = say(make([path, '{out}']), { signal: cancel.signal });
    setTimeout(() => cancel.abort(new Error('cancelled')), 700);
    await expect(saying).rejects.toThrow('cancelled');
    await sleep(200);
    const child = Number(await readFile(`${path}.child`, 'utf8'));
    // Where nobody reaps it, a dead process is still listed.
    const state = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => 'gone');
    expect(state).toMatch(/^gone$|\) Z /);
  });
});
