import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { JobError } from '../workflows/contract/jobs.js';
import type { RecipientStatus } from '../workflows/contract/personalized.js';

/** One person of a batch, in the order of the file. */
export interface JobRecipientsTable {
  job_id: string;
  /** Counts from 0. */
  position: number;
  /** Row in the file, as a spreadsheet counts. */
  row_number: number;
  name: string;
  /** Every column by its header. */
  fields: JSONColumnType<Record<string, string>, string, never>;
  status: Generated<RecipientStatus>;
  file_artifact: string | null;
  /** Name in the archive. */
  file_name: string | null;
  duration_seconds: number | null;
  bytes: ColumnType<string | null, number | null, number | null>;
  /** What the user should know, e.g. that the mouth was left as it is. */
  message: string | null;
  error: JSONColumnType<JobError | null, string | null, string | null>;
  started_at: Date | null;
  completed_at: Date | null;
}
