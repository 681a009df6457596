import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readVtt } from '../../activities/media/captions/vtt.js';
import type { ScriptDocument } from '../../workflows/contract/documents.js';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import { lookAtVideo } from './media-facts.js';
import type { Json } from './rest-client.js';

const frame = { resolution: '720p', motion: 'none' };

let stack: E2eStack;

beforeAll(async () => {
  stack = await startE2eStack();
});
afterAll(() => stack.stop());

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);
const pathsOf = (answer: { json: Json }): string[] =>
  (answer.json.errors ?? []).map((error: { path: string }) => error.path).sort();
const countJobs = async () => (await stack.db.selectFrom('jobs').select('id').execute()).length;

describe('text that looks like code', () => {
  it('is spoken, drawn and written as it stands, and nothing of it is carried out', async () => {
    const { client } = stack;
    const canary = join(stack.dataDir, 'canary');
    const commands = `$(touch canary) \`touch ${canary}\` ; touch canary | cat /etc/passwd`;
    const filters = `',drawtext=textfile=/etc/passwd,' movie=/etc/passwd [in]scale=2:2[out]`;
    const markup = '{\\an8} {\\p1}m 0 0{\\p0} \\N <b>bold</b> <script>alert(1)</script> &amp; %{pts} ${HOME}';
    const narration =
      `Say {\\an8} <b>bold</b> &amp; %{} now.\nThen ',drawtext=textfile=/etc/passwd here.\r\n` +
      '--flag $(touch canary) and 👩‍👩‍👧 \u202emirror\u202c done.';
    const edit = {
      number: 1,
      heading: `{\\an8}${filters.slice(0, 60)} %{n} 🎬`,
      narration,
      bullets: [markup.slice(0, 90), `--flag ${commands}`.slice(0, 190), '\u202eright to left\u202c مرحبا'],
    };
    const source = `# ${markup.slice(0, 60)}\n\n${filters} %{localtime} $(touch ${canary}) stands here.`;
    const body = { ...frame, source, review: 'script', captions: { mode: 'both', style: 'karaoke' } };
    const { id } = await client.accepted('/videos/generate', body);
    await client.until(id, (job) => job.status === 'awaiting_approval');
    const approval = { approved: true, edits: [edit] };
    expect((await client.call(`/jobs/${id}/approval`, { body: approval })).status).toBe(200);
    const job = await client.completed(id);

    const vtt = (await client.artifact(id, 'vtt')).toString('utf8');
    const shown = readVtt(vtt).flatMap((cue) => words(cue.text));
    // A word that is longer than a line is cut, so letters are compared rather than words.
    expect(shown.join('')).toBe(words(narration).join(''));
    expect(vtt).not.toContain('<b>');
    expect(vtt).not.toContain('<script>');
    const ass = (await client.artifact(id, 'ass')).toString('utf8');
    expect(ass).not.toMatch(/\{[^}]*\\(an8|p1)/);
    const { scenes } = (await client.call(`/videos/${job.result.videoId}/scenes`)).json;
    expect(scenes ?? (await client.call(`/videos/${job.result.videoId}`)).json.scenes).toMatchObject([
      { number: 1, heading: edit.heading },
    ]);
    const { bytes } = await client.call(`/jobs/${id}/download`);
    expect((await lookAtVideo(bytes, join(stack.dataDir, 'hostile.mp4'))).decodingErrors).toBe('');
    expect([existsSync(canary), existsSync('canary')]).toEqual([false, false]);

    const patch = (change: object) =>
      client.call(`/videos/${job.result.videoId}/scenes/1`, { method: 'PATCH', body: change });
    const refused = [
      [{}, ['body']],
      [{ narration: 'x'.repeat(64 * 1024) }, ['body.narration']],
      [{ heading: '', bullets: ['x', 'y'.repeat(300)] }, ['body.bullets.1', 'body.heading']],
      [{ narration: 'nul \0 here' }, ['body.narration']],
      [{ heading: 'x', videoArtifact: 'mine' }, ['body.videoArtifact']],
    ] as const;
    for (const [change, paths] of refused) {
      const answer = await patch(change);
      expect([answer.status, pathsOf(answer)]).toEqual([422, paths]);
    }
    await expectInvariants(stack);
  });
});

describe('text without measure', () => {
  it('is refused at once', async () => {
    const { client } = stack;
    const before = await countJobs();
    const startedAt = Date.now();
    const prompt = await client.call('/videos/generate', { body: { prompt: 'x'.repeat(200_000) } });
    expect([prompt.status, pathsOf(prompt)]).toEqual([422, ['body.prompt']]);
    const huge = await client.call('/videos/generate', { body: { source: 'x'.repeat(3_000_000) } });
    expect([huge.status, huge.json.code]).toEqual([413, 'body_too_large']);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    expect(await countJobs()).toBe(before);
  });

  it.each([
    [
      'five hundred headings',
      Array.from(
        { length: 500 },
        (_, n) =>
          `# Part ${n + 1}\n\nThis is what part ${n + 1} has to tell us about the long history of lighthouses and their keepers.`,
      ).join('\n\n'),
      /would make \d+ scenes.* the video tells the first \d+/,
    ],
    [
      '64 KB without a full stop',
      'lantern '.repeat(8 * 1024),
      /would make \d+ scenes.* the video tells the first \d+/,
    ],
  ])('is bounded where it is allowed, and the job says so: %s', async (_name, source, told) => {
    const { client } = stack;
    const { id } = await client.accepted('/videos/generate', { ...frame, source, review: 'script' });
    const job = await client.until(id, (one) => one.status === 'awaiting_approval');
    expect(job.steps.map((step: Json) => step.message).join('\n')).toMatch(told);
    const script = JSON.parse((await client.artifact(id, 'script')).toString('utf8')) as ScriptDocument;
    expect(script.scenes.length).toBeLessThanOrEqual(100);
    const answer = await client.call(`/jobs/${id}/approval`, { body: { approved: false } });
    expect(answer.status).toBe(200);
    expect((await client.ended(id)).status).toBe('cancelled');
    await expectInvariants(stack);
  });
});

describe('a body that does not fit', () => {
  const prompt = 'tides';
  const artifact = `${'0'.repeat(64)}.json`;
  const unfit: [string, unknown, string[]][] = [
    ['/videos/generate', {}, ['body.prompt']],
    ['/videos/generate', { prompt, source: 'both' }, ['body.prompt']],
    ['/videos/generate', { prompt: '   ' }, ['body.prompt']],
    ['/videos/generate', { prompt: 'half \ud800 a pair' }, ['body.prompt']],
    [
      '/videos/generate',
      {
        prompt,
        theme: 'neon',
        aspectRatio: '4:3',
        resolution: '8k',
        language: '??',
        sceneCount: 0,
        review: 'all',
      },
      ['aspectRatio', 'language', 'resolution', 'review', 'sceneCount', 'theme'].map(
        (name) => `body.${name}`,
      ),
    ],
    [
      '/videos/generate',
      { prompt, voice: { provider: 'nobody', voiceId: 'no/../body', speed: 9, apiKey: 'x' } },
      ['apiKey', 'provider', 'speed', 'voiceId'].map((name) => `body.voice.${name}`),
    ],
    [
      '/videos/generate',
      {
        prompt,
        captions: { mode: 'loud', style: '{\\an8}' },
        music: { builtin: 'jazz' },
        images: { provider: 1 },
      },
      ['body.captions.mode', 'body.captions.style', 'body.images.provider', 'body.music.builtin'],
    ],
    [
      '/videos/generate',
      { prompt, motion: 'shake', transition: 'wipe', surprise: 1 },
      ['body.motion', 'body.surprise', 'body.transition'],
    ],
    [
      '/videos/generate',
      { prompt, userId: 'me', credits: 5, status: 'completed' },
      ['body.credits', 'body.status', 'body.userId'],
    ],
    ['/videos/generate', { prompt, language: 'tlh' }, ['body.language']],
    [
      '/videos/generate',
      { prompt, music: { assetId: '00000000-0000-4000-8000-000000000000' } },
      ['body.music.assetId'],
    ],
    ['/videos/generate', [], ['body']],
    ['/videos/generate', 'null', ['body']],
    ['/jobs', { type: 'explainer', parameters: { prompt, theme: 'neon' } }, ['body.parameters.theme']],
    ['/stages/images', { scriptArtifact: '../../etc/passwd' }, ['body.scriptArtifact']],
    ['/stages/scripts', { contentArtifact: artifact }, ['body.contentArtifact']],
    [
      '/stages/captions',
      { scriptArtifact: artifact, voiceArtifacts: [artifact, artifact] },
      ['body.scriptArtifact', 'body.voiceArtifacts.0', 'body.voiceArtifacts.1'],
    ],
  ];

  it('is answered with every path that is wrong, and nothing is stored or started', async () => {
    const { client } = stack;
    const before = await countJobs();
    for (const [path, body, paths] of unfit) {
      const startedAt = Date.now();
      const answer = await client.call(path, { body });
      expect([path, body, answer.status, pathsOf(answer)]).toEqual([path, body, 422, paths]);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(Date.now() - startedAt).toBeLessThan(5_000);
    }
    const broken = await client.call('/videos/generate', { body: '{"prompt": "tides"' });
    expect([broken.status, broken.json.code]).toEqual([400, 'malformed_json']);
    const form = { body: 'prompt=tides', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect((await client.call('/videos/generate', form)).status).toBe(415);
    expect(await countJobs()).toBe(before);
    await expectInvariants(stack);
  });
});
