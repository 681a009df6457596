import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createArtifactStore } from '../../activities/artifact-store.js';
import { createGenerationCache } from '../../activities/generation-cache.js';
import { createTtsActivities } from '../../activities/tts/activities.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import { splitUtterances } from '../../activities/tts/utterances.js';
import type { SpeechRequest } from '../../activities/tts/voice.js';
import { createLocalStorage } from '../../storage/local.js';
import type { ScriptDocument, VoiceDocument } from '../../workflows/contract/documents.js';
import type { SpeakSceneResult } from '../../workflows/contract/explainer.js';
import { noRecipients } from '../support/no-recipients.js';
import { createQuietEnvironment, runActivity } from '../support/quiet-environment.js';
import { runProgram } from '../support/run-program.js';
import { createTestDatabase, type TestDatabase } from '../support/services.js';

const espeak = createEspeakVoice();
const spokenTexts: string[] = [];
const counted = {
  ...espeak,
  speak: (request: SpeechRequest, signal: AbortSignal) => {
    spokenTexts.push(request.text);
    return espeak.speak(request, signal);
  },
};
let database: TestDatabase;
let folder: string;
let tts: ReturnType<typeof createTtsActivities>;
let artifacts: ReturnType<typeof createArtifactStore>;

beforeAll(async () => {
  database = await createTestDatabase();
  const { db } = database;
  folder = await mkdtemp(join(tmpdir(), 'callsheet-voices-'));
  artifacts = createArtifactStore({
    storage: await createLocalStorage(join(folder, 'storage')),
    db,
    cacheDir: join(folder, 'cache'),
    maxCacheBytes: 1e9,
  });
  const cache = createGenerationCache({ db });
  tts = createTtsActivities({ artifacts, cache, voices: { espeak: counted }, ...noRecipients });
});
afterAll(async () => {
  espeak.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function speakScene(narration: string, voice = {}, language = 'en'): Promise<SpeakSceneResult> {
  const script: ScriptDocument = {
    title: 'Test',
    description: '',
    language,
    message: null,
    scenes: [{ number: 1, heading: 'One', narration, bullets: [], imagePrompt: '', imageArtifact: null }],
  };
  return runActivity(tts.speakScene, {
    jobId: randomUUID(),
    userId: randomUUID(),
    script: await artifacts.publishJson(script),
    sceneNumber: 1,
    voice: { provider: 'espeak', voiceId: null, speed: 1, ...voice },
    language,
  });
}

/** Seconds of every stretch of silence of at least 0.3 s, as ffmpeg hears them. */
async function silences(path: string): Promise<{ start: number; end: number }[]> {
  const args = ['-hide_banner', '-i', path, '-af', 'silencedetect=noise=-45dB:d=0.3', '-f', 'null', '-'];
  const { stderr } = await runProgram(inject('ffmpegPath'), args);
  const times = (what: string) =>
    [...stderr.matchAll(new RegExp(`silence_${what}: ([\\d.]+)`, 'g'))].map((match) => Number(match[1]));
  const ends = times('end');
  return times('start').map((start, n) => ({ start, end: ends[n] ?? Infinity }));
}

describe('a scene', () => {
  const narration =
    'Every render fails once. A good one goes on! Does yours?\n\nThe last step is the one that counts.';

  it('is spoken with pauses between its sentences, and its words stand in the sound', async () => {
    const result = await speakScene(narration);
    expect(result.cached).toBe(false);
    const document = await artifacts.readJson<VoiceDocument>(result.voice);
    const path = await artifacts.fetch(document.audio);
    const { stdout } = await runProgram(inject('ffprobePath'), [
      ...['-v', 'error', '-show_entries', 'stream=codec_name,sample_rate,channels,duration_ts'],
      ...['-of', 'default=nw=1', path],
    ]);
    expect(stdout).toContain('codec_name=pcm_s16le');
    expect(stdout).toContain('sample_rate=48000');
    expect(stdout).toContain('channels=1');
    expect(stdout).toContain(`duration_ts=${document.samples.toString()}`);
    expect(result.durationSeconds).toBeCloseTo(document.samples / 48_000, 9);

    expect(document.words.map(({ text }) => text)).toEqual(narration.split(/\s+/));
    for (const word of document.words) expect(narration.slice(word.charStart, word.charEnd)).toBe(word.text);
    const heard = await silences(path);
    expect(heard).toHaveLength(3);
    for (const [n, first] of ['A', 'Does', 'The'].entries()) {
      const index = document.words.findIndex(({ text }) => text === first);
      const gap = heard[n] ?? expect.fail();
      expect(Math.abs((document.words[index]?.startSeconds ?? 0) - gap.end)).toBeLessThan(0.03);
      expect(Math.abs((document.words[index - 1]?.endSeconds ?? 0) - gap.start)).toBeLessThan(0.08);
    }
    expect(document.words.at(-1)?.endSeconds).toBeLessThanOrEqual(result.durationSeconds);
    expect(document.phonemes.length).toBeGreaterThan(50);
  });

  it('is not spoken again, and an edit speaks only the sentence that changed', async () => {
    spokenTexts.length = 0;
    const again = await speakScene(narration);
    expect(again.cached).toBe(true);
    expect(spokenTexts).toEqual([]);
    const edited = await speakScene(narration.replace('goes on', 'carries on'));
    expect(edited.cached).toBe(false);
    expect(spokenTexts).toEqual(['A good one carries on!']);
    await speakScene(narration, { speed: 1.5 });
    expect(spokenTexts).toHaveLength(5);
  });

  it('says a sentence once that stands in it three times, and in others at the same time', async () => {
    spokenTexts.length = 0;
    const sentence = `This is said often ${randomUUID().slice(0, 4)}.`;
    await Promise.all(
      [1, 2, 3].map((n) => speakScene(`${sentence} ${sentence} ${sentence} Number ${String(n)}.`)),
    );
    expect(spokenTexts.filter((text) => text === sentence)).toHaveLength(1);
  });

  it('without words is a short silence, one that is too long is refused', async () => {
    const empty = await speakScene(' \n ');
    expect(empty.durationSeconds).toBe(2);
    await expect(speakScene('word '.repeat(5_000))).rejects.toMatchObject({
      type: 'narration_too_long',
      nonRetryable: true,
    });
    await expect(speakScene('Hi.', { voiceId: 'nobody' })).rejects.toMatchObject({ type: 'voice_unknown' });
  });

  it('stops when its job is cancelled', async () => {
    const environment = createQuietEnvironment();
    const script = await artifacts.publishJson({
      scenes: [
        { number: 1, narration: Array.from({ length: 200 }, (_, n) => `Sentence ${String(n)}.`).join(' ') },
      ],
    });
    const speaking = runActivity(
      tts.speakScene,
      {
        jobId: randomUUID(),
        userId: randomUUID(),
        script,
        sceneNumber: 1,
        voice: { provider: 'espeak', voiceId: null, speed: 1 },
        language: 'en',
      },
      environment,
    );
    setTimeout(() => {
      environment.cancel('CANCELLED');
    }, 150);
    const startedAt = Date.now();
    await expect(speaking).rejects.toThrow(/cancel/i);
    expect(Date.now() - startedAt).toBeLessThan(1_500);
  });
});

describe('utterances', () => {
  const cut = (text: string, language = 'en') =>
    splitUtterances(text, language).map(({ start, end }) => text.slice(start, end));

  it('are sentences, not abbreviations', () => {
    expect(cut('Dr. J. Smith met Mr. Jones, e.g. in St. Ives. They spoke. “Well!” he said.')).toEqual([
      'Dr. J. Smith met Mr. Jones, e.g. in St. Ives.',
      'They spoke.',
      '“Well!” he said.',
    ]);
    expect(cut('今天很好。明天呢？', 'zh')).toEqual(['今天很好。', '明天呢？']);
    expect(cut('यह एक है। वह दो है।', 'hi')).toEqual(['यह एक है।', 'वह दो है।']);
  });

  it('are cut at clauses when they are very long, and lose no word', () => {
    const long = Array.from({ length: 60 }, (_, n) => `clause number ${String(n)} goes on,`).join(' ');
    const pieces = cut(long);
    expect(pieces.length).toBeGreaterThan(2);
    for (const piece of pieces) {
      expect(piece.length).toBeLessThanOrEqual(430);
      expect(piece).toMatch(/,$/);
    }
    expect(pieces.join(' ')).toBe(long);
  });
});

it('the program dies with the process that started it', async () => {
  const file = join(folder, 'parent.mts');
  const module = new URL('../../activities/tts/espeak.ts', import.meta.url).href;
  await writeFile(
    file,
    `import { createEspeakVoice } from ${JSON.stringify(module)};
     const voice = createEspeakVoice();
     const request = { text: 'Hello.', language: 'en', voiceId: null, speed: 1 };
     await voice.speak(request, new AbortController().signal);
     console.log(voice.pid());
     void voice.speak({ ...request, text: 'On and on it goes. '.repeat(200) }, new AbortController().signal);
     setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100);`,
  );
  const { stdout } = await runProgram(process.execPath, ['--import', 'tsx', file]);
  const pid = Number(stdout.trim());
  expect(pid).toBeGreaterThan(0);
  const gone = () => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  };
  await expect.poll(gone, { timeout: 3_000 }).toBe(true);
});
