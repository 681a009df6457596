import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ScriptDocument } from '../../workflows/contract/documents.js';
import type { JobProgress } from '../../workflows/contract/jobs.js';
import { createLab, options, type Lab, type RunningWorkers } from './lab.js';
import type { Call } from './sketches.js';

let lab: Lab;
let workers: RunningWorkers | undefined;

beforeAll(async () => {
  lab = await createLab();
});

afterEach(async () => {
  await workers?.stop();
  workers = undefined;
});

afterAll(async () => {
  await lab.close();
});

/** A payload of plain JSON. */
function decoded(data: Uint8Array | null | undefined): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(Buffer.from(data ?? []).toString()));
}

describe('explainer', () => {
  it('makes every step once and records the video', async () => {
    const calls: Call[] = [];
    workers = await lab.startWorkers({ calls, sceneCount: 3 });

    const id = await lab.runExplainer();
    const job = await lab.ended(id);

    expect(job).toMatchObject({ status: 'completed', error: null, overall_progress: 100 });
    expect(count(calls)).toEqual({
      writeContent: 1,
      writeScript: 1,
      drawPicture: 3,
      speakScene: 3,
      timeCaptions: 1,
      planComposition: 1,
      renderSegment: 3,
      mixAudio: 1,
      assemble: 1,
      drawThumbnail: 1,
    });
    expect(job.steps.map(({ stepName, status, progress }) => [stepName, status, progress])).toEqual(
      [
        'content',
        'scripts',
        'images',
        'voices',
        'captions',
        'segments',
        'assembly',
        'thumbnail',
        'record',
      ].map((name) => [name, 'completed', 100]),
    );
    expect(job.steps[0]?.message).toBe('written from the prompt alone');
    for (const step of job.steps) {
      expect(Date.parse(step.startedAt ?? '')).toBeLessThanOrEqual(Date.parse(step.completedAt ?? ''));
    }

    const videos = await lab.db.selectFrom('videos').selectAll().where('job_id', '=', id).execute();
    expect(videos).toHaveLength(1);
    expect(job.result).toEqual({ videoId: videos[0]?.id, durationSeconds: 3, bytes: 1234 });
    expect(videos[0]).toMatchObject({ title: 'Tides', language: 'en', width: 1280, height: 720 });
    expect(videos[0]?.scenes).toHaveLength(3);
    const artifacts = await lab.artifactsOf(id);
    expect(artifacts.map(({ kind }) => kind)).toEqual([
      ...['video', 'thumbnail', 'captions', 'vtt', 'srt', 'ass', 'script', 'content'],
      ...['picture', 'picture', 'picture', 'voice', 'voice', 'voice'],
      // What stands in those documents, to be looked at and listened to.
      ...['image', 'image', 'image', 'audio', 'audio', 'audio'],
    ]);
    expect(artifacts.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        ...['scene-001-picture.json', 'scene-003-voice.json'],
        ...['scene-001-image.png', 'scene-003-audio.wav'],
      ]),
    );
  });

  it('lists what its stages take, as they take it', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const whole = await lab.ended(await lab.runExplainer());
    const artifacts = await lab.artifactsOf(whole.id);
    const all = (kind: string) => artifacts.filter((one) => one.kind === kind).map((one) => one.artifact_id);
    const [voices, pictures] = [all('voice'), all('picture')];
    expect([voices.length, pictures.length]).toEqual([3, 3]);
    const captions = await lab.runStage({ stage: 'captions', script: all('script')[0] ?? '', voices });
    const assembly = await lab.runStage({
      stage: 'assembly',
      pictures,
      voices,
      captions: all('captions')[0] ?? '',
    });
    // From the same documents come the same files.
    for (const [id, kind] of [
      [captions, 'vtt'],
      [captions, 'captions'],
      [assembly, 'video'],
    ] as const) {
      expect((await lab.ended(id)).status).toBe('completed');
      const made = (await lab.artifactsOf(id)).filter((one) => one.kind === kind);
      expect(made.map((one) => one.artifact_id)).toEqual(all(kind));
    }
  });

  it('tells what was noted on its pictures, as does the stage that draws them', async () => {
    workers = await lab.startWorkers({
      calls: [],
      override: (activities) => ({
        ...activities,
        media: {
          ...activities.media,
          drawPicture: async (input) => ({
            ...(await activities.media.drawPicture(input)),
            note: input.sceneNumber === 2 ? 'Some text was cut short.' : null,
          }),
        },
      }),
    });
    const told = async (id: string) =>
      (await lab.ended(id)).steps.find(({ stepName }) => stepName === 'images')?.message;
    const id = await lab.runExplainer();
    expect(await told(id)).toBe('Scene 2: Some text was cut short.');
    const script = (await lab.artifactsOf(id)).find(({ kind }) => kind === 'script')?.artifact_id ?? '';
    expect(await told(await lab.runStage({ stage: 'images', script }))).toBe(
      'Scene 2: Some text was cut short.',
    );
  });

  it('draws and speaks at the same time', async () => {
    const calls: Call[] = [];
    const seen = new Set<string>();
    let open = () => {};
    const bothRun = new Promise<void>((resolve) => (open = resolve));
    workers = await lab.startWorkers({
      calls,
      before: async ({ activity }) => {
        if (activity !== 'drawPicture' && activity !== 'speakScene') return;
        seen.add(activity);
        if (seen.size === 2) open();
        // Neither ends before the other has begun.
        await bothRun;
      },
    });
    expect((await lab.ended(await lab.runExplainer())).status).toBe('completed');
  });

  it('tells progress that never goes down', async () => {
    const seen: JobProgress[] = [];
    // The activities take turns and each waits to be looked at, so that a slow reader misses nothing.
    let turn = Promise.resolve();
    let isOver = false;
    const before = () =>
      (turn = turn.then(async () => {
        const upTo = seen.length + 2;
        while (!isOver && seen.length < upTo) await pause(5);
      }));
    workers = await lab.startWorkers({ calls: [], sceneCount: 6, before });
    const id = await lab.runExplainer();
    while ((await lab.readJob(id)).completed_at === null) seen.push(await lab.progress(id));
    isOver = true;
    seen.push(await lab.progress(id));

    const percents = seen.map(({ overallProgress }) => overallProgress);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
    expect(percents.at(-1)).toBe(100);
    // It moves inside steps, too.
    const job = await lab.readJob(id);
    expect(new Set(percents).size).toBeGreaterThan(job.steps.length);
    expect(seen.at(-1)?.parallelItems).toMatchObject({ images: 6, voices: 6, segments: 6, assembly: 2 });
    expect(seen.at(-1)?.status).toBe('completed');
  });

  it('can be found and read in the Web UI', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const id = await lab.runExplainer();
    await lab.ended(id);
    const handle = lab.client.getHandle(id);
    const description = await handle.describe();
    expect(description.type).toBe('explainer');
    expect(description.memo).toEqual({ title: 'tides' });
    expect(await description.staticSummary()).toBe('explainer: tides');
    expect(description.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])).toEqual(
      expect.arrayContaining([
        ['CallsheetJobType', 'explainer'],
        ['CallsheetUserId', lab.user.id],
      ]),
    );
    const { events } = await handle.fetchHistory();
    const summaries = (events ?? []).flatMap(
      ({ userMetadata, activityTaskScheduledEventAttributes: scheduled }) =>
        scheduled == null
          ? []
          : [[scheduled.activityType?.name, Buffer.from(userMetadata?.summary?.data ?? []).toString()]],
    );
    const scenes = [1, 2, 3].map((number) => `"scene ${number} of 3"`);
    expect(summaries.toSorted()).toEqual(
      [
        ['markStarted', '"in_progress"'],
        ['writeContent', '"in en"'],
        ['writeScript', '"in en"'],
        ...scenes.map((scene) => ['drawPicture', scene]),
        ...scenes.map((scene) => ['speakScene', scene]),
        ['timeCaptions', '"3 scenes"'],
        ['planComposition', '"3 scenes"'],
        ...[1, 2, 3].map((number) => ['renderSegment', `"segment ${number} of 3"`]),
        ['mixAudio', '"voices"'],
        ['assemble', '"3 segments and sound"'],
        ['drawThumbnail', '"a frame of the video"'],
        ['recordVideo', '"a new video"'],
        ['finishJob', '"completed"'],
      ].toSorted(),
    );
  });

  it('begins with the longest segment, and joins them in their order', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const id = await lab.runExplainer();
    await lab.ended(id);
    const { events } = await lab.client.getHandle(id).fetchHistory();
    const inputs = (activity: string) =>
      (events ?? []).flatMap(({ eventId, activityTaskScheduledEventAttributes: scheduled }) =>
        scheduled?.activityType?.name === activity
          ? [{ eventId, input: decoded(scheduled.input?.payloads?.[0]?.data) }]
          : [],
      );
    const rendering = inputs('renderSegment');
    expect(rendering.map(({ input }) => input['index'])).toEqual([2, 1, 0]);
    const units = new Map(
      (events ?? []).flatMap(({ activityTaskCompletedEventAttributes: completed }) => {
        const begun = rendering.find(
          ({ eventId }) => eventId?.toString() === completed?.scheduledEventId?.toString(),
        );
        return completed && begun
          ? [[begun.input['index'], decoded(completed.result?.payloads?.[0]?.data)['units']] as const]
          : [];
      }),
    );
    expect(units.size).toBe(3);
    const [assembling] = inputs('assemble');
    expect(assembling?.input['units']).toEqual([0, 1, 2].flatMap((index) => units.get(index)));
    expect(assembling?.input['units']).toHaveLength(5);
  });

  it('replaces a video when one of its scenes is edited', async () => {
    const calls: Call[] = [];
    workers = await lab.startWorkers({ calls });
    const first = await lab.ended(await lab.runExplainer());
    const videoId = String(first.result?.['videoId']);
    calls.length = 0;

    const edits = [{ number: 2, heading: 'Neap tides', narration: 'The moon is at a right angle.' }];
    const id = await lab.runExplainer({ videoId }, { edits, videoId });
    const job = await lab.ended(id);

    expect(job.result).toMatchObject({ videoId });
    expect(job.steps[0]).toMatchObject({ stepName: 'content', status: 'skipped' });
    expect(count(calls)).toMatchObject({ drawPicture: 3, speakScene: 3 });
    expect(calls.some(({ activity }) => activity.startsWith('write'))).toBe(false);
    const videos = await lab.db.selectFrom('videos').selectAll().where('id', '=', videoId).execute();
    expect(videos).toHaveLength(1);
    expect(videos[0]).toMatchObject({ job_id: id, title: 'Tides' });
    expect(videos[0]?.scenes.map(({ heading }) => heading)).toEqual(['Heading 1', 'Neap tides', 'Heading 3']);
  });

  it('refuses an edit of a scene that is not there', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const first = await lab.ended(await lab.runExplainer());
    const videoId = String(first.result?.['videoId']);
    const job = await lab.ended(await lab.runExplainer({ videoId }, { edits: [{ number: 9 }], videoId }));
    expect(job.error).toMatchObject({ code: 'invalid_edits', step: 'scripts', retryable: false });
    // The video stands as it stood.
    const video = await lab.db.selectFrom('videos').selectAll().where('id', '=', videoId).executeTakeFirst();
    expect(video?.job_id).toBe(first.id);
  });
});

describe('review gate', () => {
  const reviewed = { options: { ...options, review: 'script' as const } };

  it('waits for approval with the script there to be read', async () => {
    const calls: Call[] = [];
    workers = await lab.startWorkers({ calls });
    const id = await lab.runExplainer(reviewed);
    const waiting = await lab.reached(id, 'awaiting_approval');
    expect(waiting.completed_at).toBeNull();
    expect((await lab.artifactsOf(id)).map(({ kind }) => kind)).toEqual(['script', 'content']);
    await pause(100);
    expect(count(calls)).toEqual({ writeContent: 1, writeScript: 1 });
    expect((await lab.progress(id)).status).toBe('awaiting_approval');

    await lab.approve(id, { approved: true, hasEdits: false });
    expect(await lab.ended(id)).toMatchObject({ status: 'completed', started_at: waiting.started_at });
  });

  it('makes the video of the edited script', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const id = await lab.runExplainer(reviewed);
    await lab.reached(id, 'awaiting_approval');
    const edits = JSON.stringify([{ number: 1, narration: 'Edited.' }]);
    await lab.db.updateTable('jobs').set({ edits }).where('id', '=', id).execute();
    await lab.approve(id, { approved: true, hasEdits: true });
    await lab.ended(id);
    const script = (await lab.artifactsOf(id)).find(({ kind }) => kind === 'script');
    const document = await lab.artifacts.readJson<ScriptDocument>(script?.artifact_id ?? '');
    expect(document.scenes.map(({ narration }) => narration)).toEqual([
      'Edited.',
      'Narration 2.',
      'Narration 3.',
    ]);
  });

  it('ends as cancelled when the script is rejected', async () => {
    const calls: Call[] = [];
    workers = await lab.startWorkers({ calls });
    const id = await lab.runExplainer(reviewed);
    await lab.reached(id, 'awaiting_approval');
    await lab.approve(id, { approved: false, hasEdits: false });
    const job = await lab.ended(id);
    expect(job.status).toBe('cancelled');
    expect(job.error).toEqual({
      code: 'script_rejected',
      detail: 'The script was rejected at the review.',
      step: 'scripts',
      retryable: false,
    });
    expect(job.steps.map(({ status }) => status)).toEqual([
      'completed',
      'completed',
      ...Array.from({ length: 7 }, () => 'cancelled'),
    ]);
    expect(count(calls)).toEqual({ writeContent: 1, writeScript: 1 });
    // What was reviewed can still be read.
    expect((await lab.artifactsOf(id)).map(({ kind }) => kind)).toContain('script');
  });

  it('takes one of two answers', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const id = await lab.runExplainer(reviewed);
    await lab.reached(id, 'awaiting_approval');
    const answers = await Promise.allSettled([
      lab.approve(id, { approved: true, hasEdits: false }),
      lab.approve(id, { approved: true, hasEdits: false }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await lab.ended(id)).status).toBe('completed');
  });

  it('refuses an answer that nobody waits for', async () => {
    let open = () => {};
    const held = new Promise<void>((resolve) => (open = resolve));
    workers = await lab.startWorkers({
      calls: [],
      before: ({ activity }) => (activity === 'writeContent' ? held : Promise.resolve()),
    });
    const id = await lab.runExplainer(reviewed);
    await expect(lab.approve(id, { approved: true, hasEdits: false })).rejects.toMatchObject({
      cause: { type: 'not_awaiting_approval' },
    });
    open();
    await lab.reached(id, 'awaiting_approval');
    await lab.approve(id, { approved: false, hasEdits: false });
    await lab.ended(id);
  });

  it('can be cancelled while it waits', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const id = await lab.runExplainer(reviewed);
    await lab.reached(id, 'awaiting_approval');
    await lab.client.getHandle(id).cancel();
    expect(await lab.ended(id)).toMatchObject({ status: 'cancelled', error: null });
  });
});

function count(calls: readonly Call[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { activity } of calls) counts[activity] = (counts[activity] ?? 0) + 1;
  return counts;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
