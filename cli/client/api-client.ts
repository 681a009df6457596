import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { createHttpClient, type Credentials } from './http.js';

const step = z.object({
  stepName: z.string(),
  status: z.enum(['pending', 'in_progress', 'completed', 'failed', 'skipped', 'cancelled']),
  progress: z.number(),
  message: z.string().nullable(),
  cached: z.boolean(),
  startedAt: z.string().nullable(),
  completedAt: z.string().nullable(),
});
const job = z.object({
  id: z.string(),
  status: z.enum(['queued', 'in_progress', 'awaiting_approval', 'completed', 'failed', 'cancelled']),
  overallProgress: z.number(),
  steps: z.array(step),
  result: z
    .object({
      durationSeconds: z.number().optional(),
      bytes: z.number().optional(),
      delivered: z.number().optional(),
      failed: z.number().optional(),
    })
    .loose()
    .nullable(),
  error: z.object({ code: z.string(), detail: z.string(), step: z.string().nullable() }).nullable(),
  credits: z.object({ quoted: z.number(), charged: z.number() }),
});
export type Job = z.infer<typeof job>;
export type JobStep = z.infer<typeof step>;

const quote = z.object({
  recipients: z.number(),
  columns: z.array(z.string()),
  credits: z.object({ quoted: z.number(), available: z.number() }),
});
export type Quote = z.infer<typeof quote>;

const recipient = z.object({
  row: z.number(),
  name: z.string(),
  status: z.enum(['pending', 'in_progress', 'completed', 'failed', 'cancelled']),
  message: z.string().nullable(),
  file: z.object({ name: z.string() }).nullable(),
  error: z.object({ code: z.string(), detail: z.string() }).nullable(),
});
export type Recipient = z.infer<typeof recipient>;
const recipientPage = z.object({ items: z.array(recipient), nextCursor: z.string().nullable() });

/** What the commands ask of the API. Each call fails with an ApiError where the API refuses it. */
export interface ApiClient {
  generateVideo(body: Record<string, unknown>, idempotencyKey: string): Promise<Job>;
  /** A form with `dryRun`. */
  quotePersonalized(form: FormData): Promise<Quote>;
  personalize(form: FormData, idempotencyKey: string): Promise<Job>;
  getJob(id: string): Promise<Job>;
  cancelJob(id: string): Promise<void>;
  /** In the order of the table, page by page; with a status only those in it. */
  recipients(id: string, status?: Recipient['status']): AsyncIterable<Recipient>;
  /** Saves the job's main result; the file appears complete or not at all. */
  download(id: string, path: string): Promise<void>;
}

const pageSize = 100;

export async function createApiClient(baseUrl: string, credentials: Credentials): Promise<ApiClient> {
  const { call } = await createHttpClient(baseUrl, credentials);
  const post = async (path: string, body: unknown, idempotencyKey: string) =>
    job.parse(await (await call('POST', path, body, { 'Idempotency-Key': idempotencyKey })).json());
  return {
    generateVideo: (body, idempotencyKey) => post('/videos/generate', body, idempotencyKey),
    quotePersonalized: async (form) =>
      quote.parse(await (await call('POST', '/personalized-videos', form)).json()),
    personalize: (form, idempotencyKey) => post('/personalized-videos', form, idempotencyKey),
    getJob: async (id) => job.parse(await (await call('GET', `/jobs/${id}`)).json()),
    async cancelJob(id) {
      await call('DELETE', `/jobs/${id}`);
    },
    async *recipients(id, status) {
      const query = new URLSearchParams({ limit: String(pageSize), ...(status && { status }) });
      for (let cursor: string | null = ''; cursor !== null;) {
        if (cursor !== '') query.set('cursor', cursor);
        const answer = await call('GET', `/jobs/${id}/recipients?${query.toString()}`);
        const page = recipientPage.parse(await answer.json());
        yield* page.items;
        cursor = page.nextCursor;
      }
    },
    async download(id, path) {
      const answer = await call('GET', `/jobs/${id}/download`);
      if (answer.body === null) throw new Error('the API sent no file');
      const draft = `${path}.part`;
      try {
        await pipeline(Readable.fromWeb(answer.body), createWriteStream(draft));
        await rename(draft, path);
      } finally {
        await rm(draft, { force: true });
      }
    },
  };
}
