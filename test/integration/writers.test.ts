import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createArtifactStore } from '../../activities/artifact-store.js';
import { transientFailure } from '../../activities/failures.js';
import { createGenerationCache } from '../../activities/generation-cache.js';
import { createLlmActivities, type LlmDeps } from '../../activities/llm/activities.js';
import { createGeminiWriter } from '../../activities/llm/gemini.js';
import { createOutlineWriter } from '../../activities/llm/outline.js';
import { readJobTexts } from '../../db/job-texts.js';
import { createLocalStorage } from '../../storage/local.js';
import type { ContentDocument, ScriptDocument } from '../../workflows/contract/documents.js';
import type { JobRef } from '../../workflows/contract/jobs.js';
import type { ExplainerOptions } from '../../workflows/contract/options.js';
import { createQuietEnvironment, runActivity } from '../support/quiet-environment.js';
import { createTestDatabase, type TestDatabase } from '../support/services.js';
import { type GeminiDouble, type GeminiTurn, geminiKey, startGemini } from '../support/wire/gemini.js';

const options: ExplainerOptions = {
  language: 'en',
  sceneCount: null,
  aspectRatio: '16:9',
  resolution: '720p',
  theme: 'midnight',
  voice: { provider: 'espeak', voiceId: null, speed: 1 },
  captions: { mode: 'none', style: 'classic' },
  music: null,
  images: { provider: 'slides' },
  transition: 'cut',
  motion: 'none',
  review: null,
};

let database: TestDatabase;
let folder: string;
let userId: string;
let gemini: GeminiDouble;
let artifacts: ReturnType<typeof createArtifactStore>;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'callsheet-writers-'));
  const user = { email: 'writer@example.org', password_hash: '' };
  const { id } = await database.db.insertInto('users').values(user).returning('id').executeTakeFirstOrThrow();
  userId = id;
  artifacts = createArtifactStore({
    storage: await createLocalStorage(join(folder, 'storage')),
    db: database.db,
    cacheDir: join(folder, 'cache'),
    maxCacheBytes: 1e9,
  });
  gemini = await startGemini((call) => ({
    json: call.body.contents?.[0]?.parts?.[0]?.text?.startsWith('===== plan') ? script : plan,
  }));
});
afterEach(() => {
  gemini.calls.length = 0;
  gemini.script.length = 0;
});
afterAll(async () => {
  await gemini.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const plan = {
  title: 'Tides',
  description: 'The sea.',
  sections: [{ heading: 'Moon', text: 'It pulls the sea.' }],
};
const script = {
  scenes: [
    { heading: 'Moon', narration: 'It pulls the sea.', bullets: ['pulls the sea'], imagePrompt: 'moon' },
  ],
};

function activityDeps(withModel: boolean): LlmDeps {
  return {
    artifacts,
    cache: createGenerationCache({ db: database.db }),
    readTexts: (job) => readJobTexts(database.db, job),
    model: withModel
      ? createGeminiWriter({
          apiKey: geminiKey,
          baseUrl: gemini.baseUrl,
          model: 'gemini-test',
          timeoutMs: 1_000,
        })
      : undefined,
    outline: createOutlineWriter(),
  };
}

const activities = (withModel: boolean) => createLlmActivities(activityDeps(withModel));

async function newJob(parameters: Record<string, unknown>): Promise<JobRef> {
  const jobId = randomUUID();
  await database.db
    .insertInto('jobs')
    .values({
      id: jobId,
      user_id: userId,
      project_id: null,
      type: 'explainer',
      parameters: JSON.stringify(parameters),
      workflow_input: '{}',
      edits: '[]',
      video_id: null,
      retry_of: null,
      callback_url: null,
      steps: '[]',
      result: null,
      error: null,
      ...{ submitted_at: null, review_answered_at: null },
      cancel_requested_at: null,
      started_at: null,
      completed_at: null,
    })
    .execute();
  return { jobId, userId };
}

/** Both steps of a job with these texts. */
async function write(
  withModel: boolean,
  parameters: Record<string, unknown>,
  changed: Partial<ExplainerOptions> = {},
) {
  const llm = activities(withModel);
  const job = await newJob(parameters);
  const given = { ...options, ...changed };
  const content = await runActivity(llm.writeContent, { ...job, options: given });
  const input = { ...job, content: content.content, options: given };
  const written = await runActivity(llm.writeScript, input);
  return {
    content,
    written,
    contentDocument: await artifacts.readJson<ContentDocument>(content.content),
    scriptDocument: await artifacts.readJson<ScriptDocument>(written.script),
  };
}

describe('without a model', () => {
  it("the job's own text becomes its script", async () => {
    const source = '# Tides\n\n## Moon\n\nThe moon pulls at the sea. The sea follows the moon.';
    const { content, written, contentDocument, scriptDocument } = await write(false, { source });
    expect(contentDocument).toMatchObject({ title: 'Tides', sections: [{ heading: 'Moon' }] });
    expect(scriptDocument.scenes).toMatchObject([
      { number: 1, heading: 'Moon', narration: 'The moon pulls at the sea. The sea follows the moon.' },
    ]);
    expect([content.cached, written.cached, written.sceneCount, written.message]).toEqual([
      false,
      false,
      1,
      null,
    ]);
    const again = await write(false, { source });
    expect([again.content.cached, again.written.cached]).toEqual([true, true]);
    expect(again.written.script).toBe(written.script);
  });

  it('a prompt becomes an outline that says so', async () => {
    const { content } = await write(false, { prompt: 'Explain how tides work' });
    expect(content.message).toMatch(/outline made without a language model/);
    expect(gemini.calls).toHaveLength(0);
  });

  it('a job without text, or of another user, is refused', async () => {
    const llm = activities(false);
    const job = await newJob({ prompt: ' \n ' });
    const run = (ref: JobRef) => runActivity(llm.writeContent, { ...ref, options });
    await expect(run(job)).rejects.toMatchObject({ type: 'source_empty', nonRetryable: true });
    await expect(run({ ...job, userId: randomUUID() })).rejects.toMatchObject({ type: 'job_missing' });
  });
});

describe('with a model', () => {
  it('the same prompt is paid for once, whichever job asks', async () => {
    const prompt = `How do tides work? ${randomUUID()}`;
    const first = await write(true, { prompt });
    expect(first.scriptDocument.scenes).toMatchObject([{ heading: 'Moon', bullets: ['pulls the sea'] }]);
    expect(gemini.calls).toHaveLength(2);
    const again = await write(true, { prompt }, { theme: 'paper', motion: 'kenburns' });
    expect([again.content.cached, again.written.cached]).toEqual([true, true]);
    expect(gemini.calls).toHaveLength(2);
    await write(true, { prompt }, { language: 'de' });
    expect(gemini.calls.length).toBeGreaterThan(2);
  });

  it.each<[string, GeminiTurn[], RegExp]>([
    ['a blocked prompt', [{ blocked: 'SAFETY' }], /Gemini blocked the text \(SAFETY\)/],
    ['an unsafe answer', [{ text: '', finishReason: 'SAFETY' }], /Gemini stopped its answer \(SAFETY\)/],
    ['two bad answers', [{ text: 'no' }, { text: 'no' }], /answered twice in a form that does not fit/],
    ['a refused key', [{ status: 403 }], /check that GEMINI_API_KEY is valid/],
  ])('%s gives an outline that says why', async (_name, turns, reason) => {
    gemini.script.push(...turns);
    const source = `# Sea\n\nThe sea is salty and ${randomUUID()}.`;
    const { content, contentDocument } = await write(true, { source });
    expect(content.message).toMatch(reason);
    expect(content.message).toMatch(/outline writer stood in/);
    expect(content.message).not.toContain(geminiKey);
    expect(contentDocument.title).toBe('Sea');
    // The stand-in is not kept for the model's: the next job asks the model again.
    const next = await write(true, { source });
    expect(next.contentDocument.title).toBe('Tides');
  });

  it('what may be tried again is left to the engine, and nothing is kept', async () => {
    const llm = activities(true);
    const job = await newJob({ prompt: `Again ${randomUUID()}` });
    const run = () => runActivity(llm.writeContent, { ...job, options });
    gemini.script.push({ status: 429, retryDelay: '7s' }, { status: 503 });
    await expect(run()).rejects.toMatchObject({ type: 'llm_rate_limited', nextRetryDelay: 7_000 });
    await expect(run()).rejects.toMatchObject({ type: 'llm_unavailable', nonRetryable: false });
    expect(await run()).toMatchObject({ cached: false, message: null });
  });

  it.each<[string, GeminiTurn, RegExp]>([
    ['a quota that stays used up', { status: 429, retryDelay: '7s' }, /too many requests for this key/],
    ['an outage that lasts', { status: 503 }, /out of order for now/],
  ])('%s gives an outline that says why, when few attempts are left', async (_name, turn, reason) => {
    const llm = activities(true);
    const job = await newJob({ source: `# Sea\n\nThe sea is salty and ${randomUUID()}.` });
    const run = (attempt: number, maximumAttempts: number | undefined) => {
      gemini.script.push(turn);
      const retryPolicy = maximumAttempts === undefined ? {} : { maximumAttempts };
      const environment = createQuietEnvironment({ attempt, retryPolicy });
      return runActivity(llm.writeContent, { ...job, options }, environment);
    };
    await expect(run(7, 10)).rejects.toMatchObject({ nonRetryable: false });
    await expect(run(99, undefined)).rejects.toMatchObject({ nonRetryable: false });
    const content = await run(8, 10);
    expect(content.message).toMatch(reason);
    expect(content.message).toMatch(/outline writer stood in/);
    expect((await artifacts.readJson<ContentDocument>(content.content)).title).toBe('Sea');
    // What comes after asks the model again, takes its words and still tells of the outline.
    const written = await runActivity(llm.writeScript, { ...job, content: content.content, options });
    expect(written.message).toBe(content.message);
    expect((await artifacts.readJson<ScriptDocument>(written.script)).scenes[0]?.heading).toBe('Moon');
  });

  it('a storage that stays away is no reason to give the model up', async () => {
    const away = transientFailure({ code: 'storage_unavailable', detail: 'The storage does not answer.' });
    const llm = createLlmActivities({
      ...activityDeps(true),
      artifacts: { ...artifacts, publishJson: () => Promise.reject(away) },
    });
    const job = await newJob({ prompt: `Stored ${randomUUID()}` });
    const environment = createQuietEnvironment({ attempt: 9, retryPolicy: { maximumAttempts: 10 } });
    await expect(runActivity(llm.writeContent, { ...job, options }, environment)).rejects.toBe(away);
  });

  it('a cancelled job stops waiting for it', async () => {
    gemini.script.push({ stall: true });
    const environment = createQuietEnvironment();
    const job = await newJob({ prompt: `Cancel ${randomUUID()}` });
    const running = runActivity(activities(true).writeContent, { ...job, options }, environment);
    setTimeout(() => {
      environment.cancel('CANCELLED');
    }, 100);
    const startedAt = Date.now();
    await expect(running).rejects.toThrow(/cancel/i);
    expect(Date.now() - startedAt).toBeLessThan(700);
  });

  it('the key stands in no table', async () => {
    const rows = await database.db.selectFrom('generation_cache').selectAll().execute();
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(geminiKey);
  });
});
