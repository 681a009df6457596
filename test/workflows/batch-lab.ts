import { grantSignupCredits, placeHolds } from '../../db/credits.js';
import {
  endRecipient,
  insertRecipients,
  listRecipientRange,
  type RecipientRow,
} from '../../db/recipients.js';
import type { InsertMode, PersonalizedOptions } from '../../workflows/contract/personalized.js';
import type { Lab } from './lab.js';

export function batchOptions(more: Partial<PersonalizedOptions> = {}): PersonalizedOptions {
  const insertMode: InsertMode = 'gold';
  return {
    ...{ insertMode, namePosition: 'start', text: '{name}', language: 'en', transcript: null },
    ...{ spans: null, markers: null },
    voice: { provider: 'espeak', voiceId: null, modelId: null, speed: 1, credentialId: null, sample: null },
    batch: { enabled: false, splitSilenceDb: -40, splitSilenceSeconds: 0.18, gapHint: null },
    lipSync: { provider: 'none', fallback: false },
    ...{ naturalSpeed: true, gapSeconds: 0.12, silence: { db: -30, seconds: 0.3 }, convert: false },
    ...more,
  };
}

export interface BatchRequest {
  /** How many, or who. */
  recipients: number | readonly string[];
  /** Recipients behind these that an earlier job delivered. */
  takenOver?: number;
  options?: Partial<PersonalizedOptions>;
  eventsInOneRun?: number;
  userId?: string;
}

/** Commits a batch as the API does: the job's row, its recipients and a credit for each. */
export async function acceptBatch(lab: Lab, request: BatchRequest): Promise<string> {
  const { userId = lab.user.id, eventsInOneRun, takenOver = 0 } = request;
  const names =
    typeof request.recipients === 'number'
      ? Array.from({ length: request.recipients }, (_, index) => `Person ${index}`)
      : request.recipients;
  const input = {
    options: batchOptions(request.options),
    base: await lab.artifacts.publishBytes(Buffer.from('base'), 'mp4'),
    recipientCount: names.length,
    ...(takenOver === 0 ? {} : { takenOver }),
    ...(eventsInOneRun === undefined ? {} : { eventsInOneRun }),
  };
  const id = await lab.acceptJob('personalized', input, { userId });
  const file = await lab.artifacts.publishBytes(Buffer.from('delivered before'), 'mp4');
  await lab.db.transaction().execute(async (trx) => {
    const fields = (name: string) => ({ name });
    const all = [...names, ...Array.from({ length: takenOver }, (_, index) => `Earlier ${index}`)];
    const rows = all.map((name, index) => ({ row: index + 2, name, fields: fields(name) }));
    await insertRecipients(trx, id, rows);
    for (let position = names.length; position < all.length; position += 1) {
      const end = { file, fileName: `${position}.mp4`, durationSeconds: 2, bytes: 16, message: null };
      await endRecipient(trx, id, position, { status: 'completed', ...end });
    }
    const holds = names.map((_, position) => ({ item: String(position), amount: 1 }));
    await placeHolds(trx, { userId, jobId: id, holds });
    await trx.updateTable('jobs').set({ credits_quoted: names.length }).where('id', '=', id).execute();
  });
  return id;
}

export async function runBatch(lab: Lab, request: BatchRequest): Promise<string> {
  const id = await acceptBatch(lab, request);
  await lab.submit(id);
  return id;
}

export function grant(lab: Lab, credits: number, userId = lab.user.id): Promise<void> {
  return lab.db.transaction().execute((trx) => grantSignupCredits(trx, userId, credits));
}

export function recipientsOf(lab: Lab, id: string): Promise<RecipientRow[]> {
  return listRecipientRange(lab.db, id, { from: 0, to: 100_000 });
}
