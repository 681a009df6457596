import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transientFailure } from '../../activities/failures.js';
import { createLlmActivities } from '../../activities/llm/activities.js';
import { createOutlineWriter } from '../../activities/llm/outline.js';
import { createOrchestrationActivities } from '../../activities/orchestration/activities.js';
import type { OrchestrationDeps } from '../../activities/orchestration/orchestration-deps.js';
import type { JobRow } from '../../db/jobs.js';
import type { PoolActivities } from '../../workers/pools.js';
import type { JobType } from '../../workflows/contract/jobs.js';
import { createLab, options, type AcceptedRow, type Lab, type RunningWorkers } from './lab.js';

/**
 * What stays away, for one job each, so that all are waited for at once. The attempts are those of production; the
 * failures ask for short pauses, as a provider may.
 */
const away = (code: string, detail: string) => transientFailure({ code, detail, retryAfterSeconds: 0.02 });
const storageAway = () => away('storage_unavailable', 'The file storage does not answer.');

let lab: Lab;
let workers: RunningWorkers;
/** Instead of the lab's own activities, by the id of the job. */
const outages = new Map<string, Partial<Pick<PoolActivities, 'orchestration' | 'llm'>>>();
let standing: { videoId: string; script: string };

beforeAll(async () => {
  lab = await createLab();
  workers = await lab.startWorkers({
    calls: [],
    override(activities) {
      const records = ({ jobId }: { jobId: string }) =>
        outages.get(jobId)?.orchestration ?? activities.orchestration;
      const writers = ({ jobId }: { jobId: string }) => outages.get(jobId)?.llm ?? activities.llm;
      return {
        ...activities,
        orchestration: {
          ...activities.orchestration,
          markStarted: (input) => records(input).markStarted(input),
          editScript: (input) => records(input).editScript(input),
          recordVideo: (input) => records(input).recordVideo(input),
          finishJob: (input) => records(input).finishJob(input),
        },
        llm: { ...activities.llm, writeContent: (input) => writers(input).writeContent(input) },
      };
    },
  });
  const job = await lab.ended(await lab.runExplainer());
  const script = (await lab.artifactsOf(job.id)).find(({ kind }) => kind === 'script');
  standing = { videoId: String(job.result?.['videoId']), script: script?.artifact_id ?? '' };
});
afterAll(async () => {
  await workers.stop();
  await lab.close();
});

const recordsWith = (changed: Partial<OrchestrationDeps['artifacts']>) =>
  createOrchestrationActivities({ db: lab.db, artifacts: { ...lab.artifacts, ...changed } });

async function ended(
  outage: Partial<Pick<PoolActivities, 'orchestration' | 'llm'>>,
  type: JobType,
  input: object,
  row: AcceptedRow = {},
): Promise<JobRow> {
  const id = await lab.acceptJob(type, { options, ...input }, row);
  outages.set(id, outage);
  await lab.submit(id);
  return lab.ended(id, 60_000);
}

const stageInput = { content: null, script: null, pictures: [], voices: [], captions: null };

describe.concurrent('a storage that stays away', () => {
  it('fails a job that cannot record its video, after several attempts and with a word on why', async () => {
    let reads = 0;
    const readJson = () => {
      reads += 1;
      return Promise.reject(storageAway());
    };
    const job = await ended({ orchestration: recordsWith({ readJson }) }, 'explainer', { videoId: null });
    expect(job.error).toEqual({
      code: 'storage_unavailable',
      detail: 'The file storage does not answer.',
      step: 'record',
      retryable: true,
    });
    expect(reads).toBe(12);
    expect(job.steps.at(-1)).toMatchObject({ stepName: 'record', status: 'failed', attempt: 12 });
    expect(await lab.db.selectFrom('videos').select('id').where('job_id', '=', job.id).execute()).toEqual([]);
  });

  it('fails an edit of a script, and leaves the video as it stands', async () => {
    const { videoId } = standing;
    const publishJson = () => Promise.reject(storageAway());
    const edits = [{ number: 2, heading: 'Neap tides' }];
    const outage = { orchestration: recordsWith({ publishJson }) };
    const job = await ended(outage, 'explainer', { videoId }, { edits, videoId });
    expect(job.error).toMatchObject({ code: 'storage_unavailable', step: 'scripts', retryable: true });
    const video = await lab.db
      .selectFrom('videos')
      .select('scenes')
      .where('id', '=', videoId)
      .executeTakeFirst();
    expect(video?.scenes[1]?.heading).toBe('Heading 2');
  });

  it('fails a stage that cannot read the script that it begins with', async () => {
    const { script } = standing;
    const readJson = () => Promise.reject(storageAway());
    const outage = { orchestration: recordsWith({ readJson }) };
    const job = await ended(outage, 'stage', { ...stageInput, stage: 'images', script });
    expect(job).toMatchObject({ status: 'failed', error: { code: 'storage_unavailable', step: null } });
  });

  it('keeps no job from its last word, which then names documents without what stands in them', async () => {
    const { script } = standing;
    const readJson = <T>(id: string): Promise<T> =>
      id === script ? lab.artifacts.readJson<T>(id) : Promise.reject(storageAway());
    const outage = { orchestration: recordsWith({ readJson }) };
    const job = await ended(outage, 'stage', { ...stageInput, stage: 'voices', script });
    expect(job).toMatchObject({ status: 'completed', error: null });
    const kinds = (await lab.artifactsOf(job.id)).map(({ kind }) => kind);
    expect(kinds).toEqual(['voice', 'voice', 'voice']);
  });
});

it.concurrent('a database that stays away is waited for, as long as it takes', async () => {
  const records = recordsWith({});
  let attempts = 0;
  const orchestration: typeof records = {
    ...records,
    finishJob: (input) => {
      attempts += 1;
      return attempts > 15 ? records.finishJob(input) : Promise.reject(away('away', 'Away.'));
    },
  };
  const job = await ended({ orchestration }, 'stage', { ...stageInput, stage: 'content' });
  expect(job.status).toBe('completed');
  expect(attempts).toBe(16);
});

it.concurrent(
  'a model that stays away is stood in for on the last attempts, and the job says so',
  async () => {
    let asked = 0;
    const refuse = () => {
      asked += 1;
      return Promise.reject(away('llm_rate_limited', 'Too many requests.'));
    };
    const llm = createLlmActivities({
      artifacts: lab.artifacts,
      cache: { through: async (_name, produce) => ({ value: (await produce()).value, cached: false }) },
      readTexts: () => Promise.resolve({ prompt: null, source: '# Sea\n\nThe sea is salty.', title: null }),
      model: { name: 'gemini', identity: 'away', writeContent: refuse, writeScript: refuse },
      outline: createOutlineWriter(),
    });
    const job = await ended({ llm }, 'stage', { ...stageInput, stage: 'content' });
    expect(job).toMatchObject({ status: 'completed', error: null });
    const message = 'Too many requests. The outline writer stood in for it.';
    expect(job.steps).toMatchObject([{ message, attempt: 8 }]);
    expect(asked).toBe(8);
  },
);
