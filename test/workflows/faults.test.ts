import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { invalidInput, transientFailure } from '../../activities/failures.js';
import { withScratch } from '../../activities/scratch.js';
import { createLab, until, type Lab, type RunningWorkers } from './lab.js';
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

describe('failures', () => {
  it('tries a scene again that failed for now, and only that one', async () => {
    const calls: Call[] = [];
    let failures = 2;
    workers = await lab.startWorkers({
      calls,
      before: ({ activity, item }) => {
        if (activity !== 'speakScene' || item !== 2 || failures-- <= 0) return Promise.resolve();
        throw transientFailure({
          code: 'voice_busy',
          detail: 'The voice is busy.',
          retryAfterSeconds: 0.05,
        });
      },
    });
    const job = await lab.ended(await lab.runExplainer());
    expect(job.status).toBe('completed');
    const spoken = calls.filter(({ activity }) => activity === 'speakScene').map(({ item }) => item);
    expect(spoken.sort()).toEqual([1, 2, 2, 2, 3]);
    expect(calls.filter(({ activity }) => activity === 'drawPicture')).toHaveLength(3);
    // The record tells how many attempts each step took.
    const attempts = Object.fromEntries(job.steps.map(({ stepName, attempt }) => [stepName, attempt]));
    expect(attempts).toMatchObject({ images: 1, voices: 3, segments: 1, assembly: 1 });
    const messages = Object.fromEntries(job.steps.map(({ stepName, message }) => [stepName, message]));
    expect(messages).toMatchObject({ images: '3 of 3', assembly: 'segments and sound joined' });
  });

  it('keeps the number of the attempt with which a step failed', async () => {
    let tries = 0;
    workers = await lab.startWorkers({
      calls: [],
      before: () => {
        tries += 1;
        if (tries > 1) throw invalidInput({ code: 'refused', detail: 'It was refused.' });
        throw transientFailure({ code: 'busy', detail: 'Busy.', retryAfterSeconds: 0.05 });
      },
    });
    const job = await lab.ended(await lab.runStage({ stage: 'content' }));
    expect(job.error).toEqual({
      code: 'refused',
      detail: 'It was refused.',
      step: 'content',
      retryable: false,
    });
    expect(job.steps).toMatchObject([{ stepName: 'content', status: 'failed', attempt: 2 }]);
  });

  it('waits as long as the provider asks', async () => {
    const startedAt: number[] = [];
    workers = await lab.startWorkers({
      calls: [],
      before: ({ activity }) => {
        if (activity !== 'writeContent') return Promise.resolve();
        startedAt.push(Date.now());
        if (startedAt.length > 1) return Promise.resolve();
        throw transientFailure({ code: 'busy', detail: 'Too many requests.', retryAfterSeconds: 1 });
      },
    });
    await lab.ended(await lab.runStage({ stage: 'content' }));
    // The profile's own first pause would be two seconds.
    const waitedMs = (startedAt[1] ?? 0) - (startedAt[0] ?? 0);
    expect(waitedMs).toBeGreaterThanOrEqual(950);
    expect(waitedMs).toBeLessThan(1_900);
  });

  it('fails the job for wrong input, naming step and cause, and stops the scenes beside it', async () => {
    const calls: Call[] = [];
    const stopped: number[] = [];
    workers = await lab.startWorkers({
      calls,
      before: async ({ activity, item }, signal) => {
        if (activity === 'drawPicture' && item === 1) {
          await until(
            () => Promise.resolve(calls),
            (seen) => has(seen, 'speakScene'),
            5_000,
          );
          throw invalidInput({ code: 'picture_broken', detail: 'The picture of scene 1 cannot be read.' });
        }
        if (activity === 'speakScene') {
          await aborted(signal);
          stopped.push(item);
          throw new CancelledFailure('stopped');
        }
      },
    });
    const id = await lab.runExplainer();
    const job = await lab.ended(id);
    expect(job.status).toBe('failed');
    expect(job.error).toEqual({
      code: 'picture_broken',
      detail: 'The picture of scene 1 cannot be read.',
      step: 'images',
      retryable: false,
    });
    const steps = Object.fromEntries(job.steps.map((step) => [step.stepName, step]));
    expect(steps['images']).toMatchObject({
      status: 'failed',
      errorMessage: 'The picture of scene 1 cannot be read.',
    });
    expect(steps['scripts']?.status).toBe('completed');
    expect(steps['voices']?.status).toBe('cancelled');
    expect(steps['record']?.status).toBe('cancelled');
    // Nothing is left running when the job says that it is over.
    expect(stopped.length).toBe(calls.filter(({ activity }) => activity === 'speakScene').length);
    expect(has(calls, 'renderSegment')).toBe(false);
    const handle = lab.client.getHandle(id);
    await expect(handle.result()).rejects.toMatchObject({
      cause: { type: 'picture_broken', message: 'images: The picture of scene 1 cannot be read.' },
    });
    expect((await handle.describe()).status.name).toBe('FAILED');
  });

  it('tells nothing of paths or SQL when a fault of ours fails the job', async () => {
    workers = await lab.startWorkers({
      calls: [],
      override: (activities) => ({
        ...activities,
        llm: {
          ...activities.llm,
          writeContent: () => {
            throw ApplicationFailure.nonRetryable('cannot read /etc/secret', 'Error');
          },
        },
      }),
    });
    const job = await lab.ended(await lab.runStage({ stage: 'content' }));
    expect(job.error).toMatchObject({ code: 'internal', step: 'content' });
    expect(JSON.stringify(job.error)).not.toContain('/etc/secret');
  });

  it('ends a job that was over before its workflow began', async () => {
    const calls: Call[] = [];
    workers = await lab.startWorkers({ calls });
    const id = await lab.acceptJob('stage', stageInput);
    await lab.db
      .updateTable('jobs')
      .set({ status: 'cancelled', completed_at: new Date() })
      .where('id', '=', id)
      .execute();
    await lab.submit(id);
    await expect(lab.client.getHandle(id).result()).rejects.toThrow();
    expect(calls).toEqual([]);
    expect((await lab.readJob(id)).status).toBe('cancelled');
  });

  it('fails at once when its job was deleted under it', async () => {
    workers = await lab.startWorkers({
      calls: [],
      override: (activities) => ({
        ...activities,
        orchestration: {
          ...activities.orchestration,
          recordVideo: async (input) => {
            await lab.db.deleteFrom('jobs').where('id', '=', input.jobId).execute();
            return activities.orchestration.recordVideo(input);
          },
        },
      }),
    });
    const id = await lab.runExplainer();
    await expect(lab.client.getHandle(id).result()).rejects.toMatchObject({ cause: { type: 'job_missing' } });
  });

  it('says what a stage lacks', async () => {
    workers = await lab.startWorkers({ calls: [] });
    const job = await lab.ended(await lab.runStage({ stage: 'images' }));
    expect(job).toMatchObject({ status: 'failed', error: { code: 'stage_input_missing' } });
  });
});

describe('cancel', () => {
  it('reaches an activity at work, which cleans up before the job is over', async () => {
    const calls: Call[] = [];
    const scratch = join(lab.folder, 'scratch');
    await mkdir(scratch, { recursive: true });
    workers = await lab.startWorkers({
      calls,
      before: async ({ activity }, signal) => {
        if (activity !== 'renderSegment') return;
        await withScratch(scratch, async (dir) => {
          await writeFile(join(dir, 'half-a-video.mp4'), 'x');
          await aborted(signal);
          throw new CancelledFailure('stopped');
        });
      },
    });
    const id = await lab.runExplainer();
    await until(
      () => Promise.resolve(calls),
      (seen) => has(seen, 'renderSegment'),
      15_000,
    );
    const cancelledAt = Date.now();
    await lab.client.getHandle(id).cancel();
    const job = await lab.ended(id);
    expect(Date.now() - cancelledAt).toBeLessThan(10_000);
    expect(job).toMatchObject({ status: 'cancelled', error: null });
    const steps = Object.fromEntries(job.steps.map(({ stepName, status }) => [stepName, status]));
    expect(steps).toMatchObject({ captions: 'completed', segments: 'cancelled', record: 'cancelled' });
    const left = await Promise.all(
      (await readdir(scratch)).map(async (name) => readdir(join(scratch, name))),
    );
    expect(left.flat()).toEqual([]);
    await expect(lab.client.getHandle(id).result()).rejects.toThrow();
    expect((await lab.client.getHandle(id).describe()).status.name).toBe('CANCELLED');
    expect(await lab.db.selectFrom('videos').select('id').where('job_id', '=', id).execute()).toEqual([]);
  });

  it('leaves no step failed, whatever its activity made of it', async () => {
    const calls: Call[] = [];
    workers = await lab.startWorkers({
      calls,
      before: async ({ activity }, signal) => {
        if (activity !== 'renderSegment') return;
        await aborted(signal);
        throw invalidInput({ code: 'broken_pipe', detail: 'The program ended early.' });
      },
    });
    const id = await lab.runExplainer();
    await until(
      () => Promise.resolve(calls),
      (seen) => has(seen, 'renderSegment'),
      15_000,
    );
    await lab.client.getHandle(id).cancel();
    const job = await lab.ended(id);
    expect(job).toMatchObject({ status: 'cancelled', error: null });
    expect(job.steps.filter(({ status }) => status === 'failed')).toEqual([]);
  });

  it('before the first activity ends the job, too', async () => {
    const id = await lab.runExplainer();
    await lab.client.getHandle(id).cancel();
    workers = await lab.startWorkers({ calls: [] });
    expect((await lab.ended(id)).status).toBe('cancelled');
  });

  it('that comes when the video is being recorded is too late', async () => {
    let open = () => {};
    const held = new Promise<void>((resolve) => (open = resolve));
    let isRecording = false;
    workers = await lab.startWorkers({
      calls: [],
      override: (activities) => ({
        ...activities,
        orchestration: {
          ...activities.orchestration,
          recordVideo: async (input) => {
            isRecording = true;
            await held;
            return activities.orchestration.recordVideo(input);
          },
        },
      }),
    });
    const id = await lab.runExplainer();
    await until(() => Promise.resolve(isRecording), Boolean, 15_000);
    await lab.client.getHandle(id).cancel();
    open();
    expect((await lab.ended(id)).status).toBe('completed');
    expect(await lab.db.selectFrom('videos').select('id').where('job_id', '=', id).execute()).toHaveLength(1);
  });
});

describe('a worker that shuts down', () => {
  it('leaves the job to another one, which does not repeat what is done', async () => {
    const calls: Call[] = [];
    const marker = join(lab.folder, 'second');
    let interrupted = 0;
    const before = async ({ activity }: Call, signal: AbortSignal) => {
      if (activity !== 'renderSegment' || existsSync(marker)) return;
      await aborted(signal);
      interrupted += 1;
      throw new CancelledFailure('stopped');
    };
    const first = await lab.startWorkers({ calls, before, graceSeconds: 1 });
    const id = await lab.runExplainer();
    await until(
      () => Promise.resolve(calls),
      (seen) => has(seen, 'renderSegment') && has(seen, 'mixAudio'),
      15_000,
    );
    await first.stop();
    expect(interrupted).toBeGreaterThan(0);
    expect((await lab.readJob(id)).status).toBe('in_progress');

    await writeFile(marker, '');
    const before2 = calls.length;
    workers = await lab.startWorkers({ calls, before });
    expect((await lab.ended(id)).status).toBe('completed');
    const again = new Set(calls.slice(before2).map(({ activity }) => activity));
    expect([...again].sort()).toEqual(['assemble', 'drawThumbnail', 'renderSegment']);
  });
});

const stageInput = {
  stage: 'content',
  content: null,
  script: null,
  pictures: [],
  voices: [],
  captions: null,
};

function has(calls: readonly Call[], activity: string): boolean {
  return calls.some((call) => call.activity === activity);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
