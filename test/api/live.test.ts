import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { invalidInput, transientFailure } from '../../activities/failures.js';
import { withHeartbeat } from '../../activities/heartbeat.js';
import { createLocalStorage } from '../../storage/local.js';
import { createLab, until, type Lab, type RunningWorkers } from '../workflows/lab.js';
import type { Call } from '../workflows/sketches.js';
import { startApi, type CallOptions, type Json, type TestApi } from './support.js';

/** The API over the real workflows and records; only the media are sketches. */
let lab: Lab;
let api: TestApi;
let workers: RunningWorkers;
let token: string;

/** Holds the segments of a job at a fraction until it opens. */
interface Gate {
  fraction: number;
  opened: Promise<void>;
  open(): void;
}
function newGate(fraction: number): Gate {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { fraction, opened, open };
}

/** What the next drawn picture does wrong, once. */
let failNextPicture: (() => Error) | undefined;
let segmentGate: Gate | undefined;

beforeAll(async () => {
  lab = await createLab();
  const storage = await createLocalStorage(`${lab.folder}/storage`);
  api = await startApi({ db: lab.db, namespace: lab.namespace, storage });
  ({ token } = await api.register());
  const calls: Call[] = [];
  workers = await lab.startWorkers({
    calls,
    async before(call) {
      if (call.activity !== 'drawPicture' || failNextPicture === undefined) return;
      const failure = failNextPicture();
      failNextPicture = undefined;
      await Promise.reject(failure);
    },
    override: (activities) => {
      const { media } = activities;
      return {
        ...activities,
        media: {
          ...media,
          renderSegment: async (input) => {
            const gate = segmentGate;
            if (gate === undefined) return media.renderSegment(input);
            await withHeartbeat('segments', input.index + 1, async ({ report, signal }) => {
              report(gate.fraction, 'frames are drawn');
              await Promise.race([
                gate.opened,
                new Promise((_resolve, reject) => {
                  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
                }),
              ]);
            });
            return media.renderSegment(input);
          },
        },
      };
    },
  });
});
afterAll(async () => {
  segmentGate?.open();
  await api.stop();
  await workers.stop();
  await lab.close();
});

const call = (path: string, options: CallOptions = {}) => api.call(path, { token, ...options });
const read = async (id: string): Promise<Json> => (await call(`/api/v1/jobs/${id}`)).json;
const reached = (id: string, wanted: (job: Json) => boolean) => until(() => read(id), wanted, 20_000);
const generate = async (body: object = {}): Promise<string> => {
  const answer = await call('/api/v1/videos/generate', {
    body: { prompt: `Tides ${randomUUID()}`, ...body },
  });
  expect(answer.status).toBe(202);
  return answer.json.id;
};
const stepOf = (job: Json, name: string): Json =>
  job.steps.find((step: { stepName: string }) => step.stepName === name);

/** Reads an event stream to its end. */
async function events(id: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${api.url}/api/v1/jobs/${id}/events`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  const text = await response.text();
  const seen = [...text.matchAll(/event: job\ndata: (.*)\nid: (.*)\n\n/g)].map(([, data, eventId]) => ({
    id: eventId ?? '',
    job: JSON.parse(data ?? '{}'),
  }));
  return { status: response.status, type: response.headers.get('content-type'), seen };
}

describe('a running job', () => {
  it('moves inside a step by its heartbeats, never back, and is told of by events to its end', async () => {
    segmentGate = newGate(0.5);
    const gate = segmentGate;
    const id = await generate();
    const followed = events(id);
    const inside = await reached(id, (job) => stepOf(job, 'segments').progress >= 49);
    expect(inside.status).toBe('in_progress');
    expect(inside.currentStep).toBe('segments');
    expect(stepOf(inside, 'segments')).toMatchObject({ status: 'in_progress', message: 'frames are drawn' });
    // What the workflow knows of is only the steps before.
    const known = await lab.progress(id);
    expect(inside.overallProgress).toBeGreaterThan(known.overallProgress + 5);
    gate.open();
    segmentGate = undefined;
    const done = await reached(id, (job) => job.status === 'completed');
    expect(done).toMatchObject({ overallProgress: 100, completedSteps: 9, totalSteps: 9, currentStep: null });
    expect(done.result).toMatchObject({ durationSeconds: 3, downloadUrl: `/api/v1/jobs/${id}/download` });

    const { seen, type } = await followed;
    expect(type).toBe('text/event-stream');
    const progress = seen.map(({ job }) => job.overallProgress);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(new Set(seen.map((event) => event.id)).size).toBe(seen.length);
    expect(seen.at(-1)?.job).toEqual(done);
    expect(seen.length).toBeGreaterThan(2);

    const last = seen.at(-1)?.id ?? '';
    expect((await events(id, { 'last-event-id': last })).status).toBe(204);
    const again = await events(id, { 'last-event-id': seen[0]?.id ?? '' });
    expect(again.seen.map((event) => event.id)).toEqual([last]);

    const video = await call(`/api/v1/videos/${done.result.videoId}`);
    expect(video.json).toMatchObject({ jobId: id, status: 'ready', durationSeconds: 3 });
    expect(video.json.scenes).toHaveLength(3);
  });

  it('tells of an attempt that failed in the words that were meant for its user', async () => {
    failNextPicture = () =>
      transientFailure({ code: 'paint_dry', detail: 'The paint was dry.', retryAfterSeconds: 3 });
    const id = await generate();
    const retried = await reached(id, (job) => stepOf(job, 'images').attempt === 2);
    expect(stepOf(retried, 'images').message).toBe('attempt 2, because: The paint was dry.');
    await reached(id, (job) => job.status === 'completed');
  });

  it('tells nothing of a failure that was not', async () => {
    failNextPicture = () =>
      ApplicationFailure.create({ message: 'ENOENT: /srv/secret/path', nextRetryDelay: '3 seconds' });
    const id = await generate();
    const retried = await reached(id, (job) => stepOf(job, 'images').attempt === 2);
    expect(JSON.stringify(retried)).not.toContain('secret');
    await reached(id, (job) => job.status === 'completed');
  });

  it('winds down when it is cancelled', async () => {
    segmentGate = newGate(0.7);
    const id = await generate();
    const before = await reached(id, (job) => stepOf(job, 'segments').progress >= 69);
    const first = await call(`/api/v1/jobs/${id}`, { method: 'DELETE' });
    expect([first.status, first.json.status]).toEqual([202, 'in_progress']);
    const second = await call(`/api/v1/jobs/${id}`, { method: 'DELETE' });
    expect(second.status).toBe(200);
    // As if what was shown last had not been written down yet.
    await api.db.updateTable('jobs').set({ overall_progress: 0 }).where('id', '=', id).execute();
    const row = () =>
      api.db.selectFrom('jobs').select('status').where('id', '=', id).executeTakeFirstOrThrow();
    await until(row, ({ status }) => status === 'cancelled', 20_000);
    const ended = await reached(id, (job) => job.status === 'cancelled');
    expect(stepOf(ended, 'segments').status).toBe('cancelled');
    // What the workflow itself counts is less than its heartbeats told.
    expect(ended.overallProgress).toBeGreaterThanOrEqual(before.overallProgress);
    segmentGate.open();
    segmentGate = undefined;
    const late = await call(`/api/v1/jobs/${id}`, { method: 'DELETE' });
    expect([late.status, late.json]).toEqual([200, ended]);
  });
});

describe('a review', () => {
  const awaiting = async () => {
    const id = await generate({ review: 'script' });
    const job = await reached(id, ({ status }) => status === 'awaiting_approval');
    expect(job.currentStep).toBe('scripts');
    return id;
  };
  const answer = (id: string, body: unknown) => call(`/api/v1/jobs/${id}/approval`, { body });

  it('shows the script, takes edits once, and goes on with them', async () => {
    const id = await awaiting();
    const { items } = (await call(`/api/v1/jobs/${id}/artifacts`)).json;
    const script = items.find((item: { kind: string }) => item.kind === 'script');
    expect((await call(script.url)).json.scenes).toHaveLength(3);

    for (const [body, path] of [
      [{}, 'body.approved'],
      [{ approved: true, edits: [{ number: 0 }] }, 'body.edits.0.number'],
      [{ approved: true, edits: [{ number: 1, imageArtifact: 'x' }] }, 'body.edits.0.imageArtifact'],
      [{ approved: true, edits: [{ number: 1 }, { number: 1 }] }, 'body.edits'],
      [{ approved: true, edits: [{ number: 3 }, { number: 4 }, { number: 99 }] }, 'body.edits.1.number'],
    ] as const) {
      const refused = await answer(id, body);
      expect([refused.status, refused.json.code]).toEqual([422, 'validation_failed']);
      expect(refused.json.errors[0].path).toBe(path);
    }
    const { errors } = (await answer(id, { approved: true, edits: [{ number: 99 }] })).json;
    expect(errors).toEqual([
      { path: 'body.edits.0.number', message: 'the script has no scene 99; it has 3' },
    ]);
    expect((await read(id)).status).toBe('awaiting_approval');
    const answers = await Promise.all(
      ['Ebb', 'Flood', 'Neap'].map((heading) =>
        answer(id, { approved: true, edits: [{ number: 2, heading }] }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    const heading = ['Ebb', 'Flood', 'Neap'][answers.findIndex(({ status }) => status === 200)];
    // Nor has one that came too late taken the place of the edits that count.
    const { edits } = await api.db
      .selectFrom('jobs')
      .select('edits')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(edits).toMatchObject([{ number: 2, heading }]);
    const done = await reached(id, (job) => job.status === 'completed');
    const video = await call(`/api/v1/videos/${done.result.videoId}`);
    expect(video.json.scenes.map((scene: Json) => scene.heading)).toEqual([
      'Heading 1',
      heading,
      'Heading 3',
    ]);
    const late = await answer(id, { approved: true });
    expect([late.status, late.json.code]).toEqual([409, 'job_not_awaiting_approval']);
  });

  it('keeps its edits when the job that it let go on fails and is tried again', async () => {
    const failure = () => invalidInput({ code: 'paint_missing', detail: 'There is no paint.' });
    const failed = async (id: string, body: object) => {
      failNextPicture = failure;
      expect((await answer(id, body)).status).toBe(200);
      await reached(id, (job) => job.status === 'failed');
    };
    const again = async (id: string) => {
      const retried = await call(`/api/v1/jobs/${id}/retry`, { method: 'POST' });
      expect([retried.status, retried.json.retryOf]).toEqual([202, id]);
      await reached(retried.json.id, (job) => job.status === 'awaiting_approval');
      return String(retried.json.id);
    };
    /** What the gate shows. */
    const shown = async (id: string): Promise<Json[]> => {
      const { items } = await until(
        async () => (await call(`/api/v1/jobs/${id}/artifacts`)).json,
        (list) => list.items.length > 0,
        5_000,
      );
      return (await call(items.find((item: Json) => item.kind === 'script').url)).json.scenes;
    };

    const first = await awaiting();
    await failed(first, { approved: true, edits: [{ number: 2, heading: 'Ebb', narration: 'It falls.' }] });
    const second = await again(first);
    expect((await shown(second)).map(({ heading }) => heading)).toEqual(['Heading 1', 'Ebb', 'Heading 3']);
    await failed(second, {
      approved: true,
      edits: [
        { number: 2, heading: 'Neap' },
        { number: 3, heading: 'Flood' },
      ],
    });
    const third = await again(second);
    const headings = ['Heading 1', 'Neap', 'Flood'];
    expect((await shown(third)).map(({ heading }) => heading)).toEqual(headings);
    // An approval without edits takes none of them back.
    expect((await answer(third, { approved: true })).status).toBe(200);
    const done = await reached(third, (job) => job.status === 'completed');
    const { scenes } = (await call(`/api/v1/videos/${done.result.videoId}`)).json;
    expect(scenes.map((scene: Json) => scene.heading)).toEqual(headings);
    expect(scenes[1].narration).toBe('It falls.');
  });

  it('that rejects cancels the job', async () => {
    const id = await awaiting();
    expect((await answer(id, { approved: false })).status).toBe(200);
    const ended = await reached(id, (job) => job.status === 'cancelled');
    expect(ended.error.code).toBe('script_rejected');
  });
});

describe('a scene', () => {
  it('is edited in its own video, and the next edit builds on it', async () => {
    const made = await reached(await generate(), (job) => job.status === 'completed');
    const { videoId } = made.result;
    for (const [number, heading] of [
      [1, 'Ebb'],
      [3, 'Flood'],
    ] as const) {
      const edit = await call(`/api/v1/videos/${videoId}/scenes/${number}`, {
        method: 'PATCH',
        body: { heading },
      });
      expect(edit.status).toBe(202);
      const done = await reached(edit.json.id, (job) => job.status === 'completed');
      expect(done.result.videoId).toBe(videoId);
    }
    const video = await call(`/api/v1/videos/${videoId}`);
    expect(video.json.scenes.map((scene: Json) => scene.heading)).toEqual(['Ebb', 'Heading 2', 'Flood']);
  });
});

describe('stages', () => {
  it('follow one another by their artifacts', async () => {
    const stage = async (name: string, body: object): Promise<Json[]> => {
      const accepted = await call(`/api/v1/stages/${name}`, { body });
      expect([name, accepted.status]).toEqual([name, 202]);
      const done = await reached(accepted.json.id, (job) => job.status === 'completed');
      expect(done.result.artifacts[0].url).toContain(accepted.json.id);
      const download = await call(`/api/v1/jobs/${done.id}/download`);
      const isOneFile = name !== 'images' && name !== 'voices';
      expect([name, download.status]).toEqual([name, isOneFile ? 200 : 404]);
      expect([name, 'downloadUrl' in done.result]).toEqual([name, isOneFile]);
      if (name === 'captions') expect(download.headers.get('content-type')).toContain('text/vtt');
      return (await call(`/api/v1/jobs/${done.id}/artifacts`)).json.items;
    };
    const ids = (items: Json[], kind: string): string[] =>
      items.filter((item) => item.kind === kind).map((item) => item.id);
    const [contentArtifact] = ids(await stage('content', { prompt: 'Tides' }), 'content');
    const [scriptArtifact] = ids(await stage('scripts', { contentArtifact }), 'script');
    const pictureArtifacts = ids(await stage('images', { scriptArtifact }), 'picture');
    const voiceArtifacts = ids(await stage('voices', { scriptArtifact }), 'voice');
    expect([pictureArtifacts.length, voiceArtifacts.length]).toEqual([3, 3]);
    const [captionsArtifact] = ids(await stage('captions', { scriptArtifact, voiceArtifacts }), 'captions');
    const assembled = await stage('assembly', {
      scriptArtifact,
      pictureArtifacts,
      voiceArtifacts,
      captionsArtifact,
    });
    expect(ids(assembled, 'video')[0]).toMatch(/\.mp4$/);
  });
});
