import { createHash } from 'node:crypto';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CaptionDocument } from '../../activities/media/composition.js';
import { readVtt } from '../../activities/media/captions/vtt.js';
import type { ScriptDocument, VoiceDocument } from '../../workflows/contract/documents.js';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import { lookAtVideo } from './media-facts.js';
import type { Json } from './rest-client.js';

const source = `# The tides

## Why they move

The moon pulls the sea towards it. Twice a day the water rises and falls.

## Who watches

Sailors read tables before they leave. Power stations wait for the flood.

## What comes next

Engineers build quiet turbines below the waves.
`;
const frame = { resolution: '720p', aspectRatio: '16:9' };
const captions = { mode: 'both', style: 'karaoke' };
const request = { source, sceneCount: 3, ...frame, theme: 'paper', captions, music: { builtin: 'calm' } };

let stack: E2eStack;
let first: Json;

beforeAll(async () => {
  stack = await startE2eStack();
});
afterAll(() => stack.stop());

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);
const documentOf = async <T>(jobId: string, kind: string) =>
  JSON.parse((await stack.client.artifact(jobId, kind)).toString('utf8')) as T;
const vttWords = async (jobId: string) =>
  readVtt((await stack.client.artifact(jobId, 'vtt')).toString('utf8')).flatMap((cue) => words(cue.text));
const segmentsMade = () =>
  stack.db
    .selectFrom('generation_cache')
    .select(['key', 'created_at', 'artifacts'])
    .where('activity', '=', 'render_unit')
    .orderBy('key')
    .execute();

describe('a text of the user', () => {
  it('becomes a video that one can show', async () => {
    const { client } = stack;
    const key = { headers: { 'idempotency-key': 'tides-1' } };
    const job = await client.accepted('/videos/generate', request, key);
    expect((await client.accepted('/videos/generate', request, key)).id).toBe(job.id);
    first = await client.completed(job.id);
    expect(first).toMatchObject({ overallProgress: 100, error: null, completedSteps: first.totalSteps });

    const download = await client.call(`/jobs/${job.id}/download`);
    expect(download.headers.get('content-type')).toBe('video/mp4');
    expect(download.bytes).toHaveLength(first.result.bytes);
    const facts = await lookAtVideo(download.bytes, join(stack.dataDir, 'first.mp4'));
    expect(facts).toMatchObject({
      decodingErrors: '',
      isFaststart: true,
      video: { codec: 'h264', profile: 'High', pixelFormat: 'yuv420p', frameRate: 30, averageFrameRate: 30 },
      audio: { codec: 'aac', sampleRate: 48_000 },
    });
    expect([facts.video.width, facts.video.height]).toEqual([1280, 720]);
    expect(Math.abs(facts.durationSeconds - first.result.durationSeconds)).toBeLessThanOrEqual(1 / 30);
    expect(facts.video.packets).toBe(Math.round(first.result.durationSeconds * 30));
    expect(Math.abs(facts.integratedLufs + 14)).toBeLessThanOrEqual(1);

    const script = await documentOf<ScriptDocument>(job.id, 'script');
    expect(script.scenes.length).toBe(3);
    const narration = script.scenes.flatMap((scene) => words(scene.narration));
    expect(await vttWords(job.id)).toEqual(narration);
    const isTold = source
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .every((line) => script.scenes.some((scene) => scene.narration.includes(line)));
    expect(isTold).toBe(true);
  });

  it('stands in the gallery with its files, each with the hash that the list names', async () => {
    const { client } = stack;
    for (const item of await client.artifacts(first.id)) {
      const { bytes, headers } = await client.call(item.url.replace('/api/v1', ''));
      expect([item.name, createHash('sha256').update(bytes).digest('hex')]).toEqual([item.name, item.sha256]);
      expect(bytes).toHaveLength(item.bytes);
      expect(headers.get('content-type')?.split(';')[0]).toBe(item.contentType.split(';')[0]);
    }
    const video = (await client.call(`/videos/${first.result.videoId}`)).json;
    expect(video).toMatchObject({ title: 'The tides', jobId: first.id, width: 1280, height: 720 });
    expect(video.scenes.map((scene: Json) => scene.heading)).toEqual([
      'Why they move',
      'Who watches',
      'What comes next',
    ]);
    const { items } = (await client.call('/videos')).json;
    expect(items.map((item: Json) => item.id)).toContain(video.id);

    const part = await client.call(`/videos/${video.id}/stream`, { headers: { range: 'bytes=4-7' } });
    expect([part.status, part.bytes.toString('latin1')]).toEqual([206, 'ftyp']);
    const { bytes } = await client.call(`/videos/${video.id}/thumbnail`);
    const thumbnail = sharp(bytes);
    const { format, width, height } = await thumbnail.metadata();
    expect([format, width / height]).toEqual(['webp', 16 / 9]);
    const { channels } = await thumbnail.stats();
    expect(Math.max(...channels.map((channel) => channel.mean))).toBeGreaterThan(30);
    expect(Math.max(...channels.map((channel) => channel.stdev))).toBeGreaterThan(10);
  });

  it('is not made twice: the same request takes every step from the cache and gives the same bytes', async () => {
    const { client } = stack;
    const before = await segmentsMade();
    const again = await client.completed((await client.accepted('/videos/generate', request)).id);
    expect(again.id).not.toBe(first.id);
    const made = again.steps.filter((step: Json) => step.status !== 'skipped' && !step.cached);
    expect(made.map((step: Json) => step.stepName)).toEqual(['record']);
    expect(await segmentsMade()).toEqual(before);
    const hashOf = async (id: string) =>
      (await client.artifacts(id)).find((one) => one.kind === 'video').sha256;
    expect(await hashOf(again.id)).toBe(await hashOf(first.id));
  });

  it('is the same whether made at once or stage by stage, with captions at the times of the voice', async () => {
    const { client } = stack;
    const stage = async (name: string, body: object) => {
      const job = await client.completed((await client.accepted(`/stages/${name}`, body)).id);
      const list: Json[] = await client.artifacts(job.id);
      // A document's pictures and sounds stand in the list beside it.
      const ids = list.map((item) => item.id as string).filter((artifact) => artifact.endsWith('.json'));
      return { id: job.id as string, ids, idOf: (kind: string) => list.find((one) => one.kind === kind).id };
    };
    const content = await stage('content', { source, sceneCount: 3 });
    const written = await stage('scripts', { contentArtifact: content.idOf('content'), sceneCount: 3 });
    const script = { scriptArtifact: written.idOf('script') };
    const pictures = await stage('images', { ...script, ...frame, theme: 'paper', captions });
    const spoken = await stage('voices', script);
    const voices = { voiceArtifacts: spoken.ids };
    const timed = await stage('captions', { ...script, ...voices, ...frame, captions });
    const assembly = await stage('assembly', {
      ...{ ...script, ...voices, pictureArtifacts: pictures.ids, captionsArtifact: timed.idOf('captions') },
      ...{ ...frame, captions, music: { builtin: 'calm' } },
    });
    const whole = await client.artifacts(first.id);
    expect(assembly.idOf('video')).toBe(whole.find((one) => one.kind === 'video').id);
    const facts = await lookAtVideo(
      (await client.call(`/jobs/${assembly.id}/download`)).bytes,
      join(stack.dataDir, 'stages.mp4'),
    );
    expect(facts.decodingErrors).toBe('');

    const { scenes, cues } = await documentOf<CaptionDocument>(first.id, 'captions');
    const shown = cues.flatMap((cue) => cue.words);
    const documents = await Promise.all(
      spoken.ids.map(
        async (id) => (await client.call(`/jobs/${spoken.id}/artifacts/${id}`)).json as VoiceDocument,
      ),
    );
    const said = documents.flatMap((voice, index) => {
      const startSeconds = (scenes[index]?.voiceStartSample ?? NaN) / 48_000;
      return voice.words.map((word) => ({ text: word.text, startSeconds: word.startSeconds + startSeconds }));
    });
    expect(shown).toHaveLength(said.length);
    for (const [index, word] of shown.entries()) {
      expect(word.text).toContain(said[index]?.text);
      expect(Math.abs(word.startSeconds - (said[index]?.startSeconds ?? NaN))).toBeLessThan(0.001);
    }
  });
});

describe('an edit of one scene', () => {
  it('renders that scene and its two overlaps again, and replaces the video', async () => {
    const { client } = stack;
    const { videoId } = first.result;
    const before = await segmentsMade();
    // Three scenes and the two overlaps between them.
    expect(before).toHaveLength(5);
    const narration = 'Fishermen know the hour of the turning tide by heart.';
    const edit = await client.accepted(`/videos/${videoId}/scenes/2`, { narration }, { method: 'PATCH' });
    const job = await client.completed(edit.id);
    expect(job.result.videoId).toBe(videoId);

    const after = await segmentsMade();
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after.length - before.length).toBe(3);
    const video = (await client.call(`/videos/${videoId}`)).json;
    expect(video).toMatchObject({ jobId: job.id, status: 'ready' });
    expect(video.scenes[1].narration).toBe(narration);
    const stream = await client.call(`/videos/${videoId}/stream`);
    const facts = await lookAtVideo(stream.bytes, join(stack.dataDir, 'edited.mp4'));
    expect(facts.decodingErrors).toBe('');
    expect(Math.abs(facts.durationSeconds - job.result.durationSeconds)).toBeLessThanOrEqual(1 / 30);
    const vtt = (await client.call(`/videos/${videoId}/captions.vtt`)).bytes.toString('utf8');
    const told = readVtt(vtt).flatMap((cue) => words(cue.text));
    expect(told.join(' ')).toContain(narration);
    expect(told.join(' ')).not.toContain('Sailors');
    // The first job keeps what it made.
    expect((await client.call(`/jobs/${first.id}/download`)).bytes).toHaveLength(first.result.bytes);
  });
});

describe('a review of the script', () => {
  it('waits for its user, shows the script, and takes edits', async () => {
    const { client } = stack;
    const short = '# A pause\n\nThis line waits for you.';
    const body = { source: short, ...frame, motion: 'none', review: 'script' };
    const job = await client.accepted('/videos/generate', body);
    await client.until(job.id, (one) => one.status === 'awaiting_approval');
    const script = await documentOf<ScriptDocument>(job.id, 'script');
    expect(script.scenes.map((scene) => scene.narration)).toEqual(['This line waits for you.']);
    const narration = 'This line was changed by its reader.';
    const answer = await client.call(`/jobs/${job.id}/approval`, {
      body: { approved: true, edits: [{ number: 1, narration }] },
    });
    expect(answer.status).toBe(200);
    await client.completed(job.id);
    expect((await vttWords(job.id)).join(' ')).toBe(narration);
    const late = await client.call(`/jobs/${job.id}/approval`, { body: { approved: false } });
    expect([late.status, late.json.code]).toEqual([409, 'job_not_awaiting_approval']);
  });

  it('leaves nothing behind', () => expectInvariants(stack));
});
