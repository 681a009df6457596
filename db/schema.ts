import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { AssetKind, AssetMedia } from '../workflows/contract/assets.js';
import type { Scene, SceneEdit } from '../workflows/contract/documents.js';
import type { JobError, JobStatus, JobType, StepState } from '../workflows/contract/jobs.js';
import type { ActivityType } from './activity-log.js';
import type {
  CreditBalancesTable,
  CreditEntriesTable,
  CreditOpenHoldsTable,
  CreditTransactionsTable,
} from './credit-tables.js';
import type { NameAudioUsesTable, ProviderCredentialsTable } from './credential-tables.js';
import type { JobRecipientsTable } from './recipient-tables.js';

type CreatedAt = ColumnType<Date, Date | undefined, never>;
type UpdatedAt = ColumnType<Date, Date | undefined, Date>;
type Json<T extends object> = JSONColumnType<T, string, string>;

export interface UsersTable {
  id: Generated<string>;
  /** Lower case; unique. */
  email: string;
  password_hash: string;
  name: string | null;
  first_name: string | null;
  last_name: string | null;
  role: Generated<'user' | 'admin'>;
  status: Generated<'active' | 'suspended'>;
  is_verified: Generated<boolean>;
  avatar_artifact: string | null;
  created_at: CreatedAt;
  updated_at: UpdatedAt;
}

export interface SessionsTable {
  /** sha256 of the access token, hex. */
  token_hash: string;
  user_id: string;
  family_id: string;
  expires_at: Date;
  created_at: CreatedAt;
}

export interface RefreshTokensTable {
  /** sha256 of the refresh token, hex. */
  token_hash: string;
  user_id: string;
  family_id: string;
  expires_at: Date;
  spent_at: Date | null;
  created_at: CreatedAt;
}

/** Tries to log in of the last minute. */
export interface LoginTriesTable {
  /** Hash of what is counted: an account's name or a client's address. */
  key: string;
  tries: number;
  since: Date;
}

export interface AuditLogTable {
  id: Generated<string>;
  actor_id: string | null;
  action: string;
  target: string | null;
  detail: Json<Record<string, unknown>>;
  created_at: CreatedAt;
}

export interface ApiKeysTable {
  id: Generated<string>;
  user_id: string;
  name: string;
  /** How the key begins, so that its owner knows it again. */
  prefix: string;
  /** sha256 of the key, hex. */
  key_hash: string;
  /** Null: it does not expire. */
  expires_at: Date | null;
  last_used_at: Date | null;
  created_at: CreatedAt;
}

export interface JobsTable {
  id: string;
  user_id: string;
  project_id: string | null;
  type: JobType;
  status: Generated<JobStatus>;
  /** The validated request body; prompt and source live here, not in workflow history. */
  parameters: Json<Record<string, unknown>>;
  /** The workflow's input, so that a sweeper can start what the API could not. */
  workflow_input: Json<Record<string, unknown>>;
  /** Edits given at a review gate or with a scene's PATCH. */
  edits: Json<SceneEdit[]>;
  /** Set when the workflow has taken an answer to the review; the edits are settled then. */
  review_answered_at: Date | null;
  video_id: string | null;
  retry_of: string | null;
  callback_url: string | null;
  /** Set when the engine has taken the message of the job's end to `callback_url`. */
  webhook_started_at: Date | null;
  steps: Json<StepState[]>;
  overall_progress: Generated<number>;
  result: JSONColumnType<Record<string, unknown> | null, string | null, string | null>;
  error: JSONColumnType<JobError | null, string | null, string | null>;
  credits_quoted: Generated<number>;
  credits_charged: Generated<number>;
  /** Set with the delivery of what the job was for: from then on it can only end completed. */
  delivered_at: Date | null;
  /** Set when Temporal has taken the workflow; until then the sweeper owns the job. */
  submitted_at: Date | null;
  /** Set when the user asked to cancel, so that a job that never reached Temporal ends too. */
  cancel_requested_at: Date | null;
  created_at: CreatedAt;
  started_at: Date | null;
  completed_at: Date | null;
}

export interface WebhookSecretsTable {
  user_id: string;
  /** `whsec_` and base64. */
  secret: string;
  previous_secret: string | null;
  rotated_at: Date | null;
}

export interface ArtifactsTable {
  /** `<sha256>.<extension>`; the storage key is `artifacts/<id>`. */
  id: string;
  sha256: string;
  bytes: ColumnType<string, number, never>;
  content_type: string;
  created_at: CreatedAt;
  /** When it was last made or made again; what is young may be about to be referred to. */
  published_at: UpdatedAt;
}

export interface ProjectsTable {
  id: Generated<string>;
  user_id: string;
  name: string;
  description: string;
  status: Generated<'draft' | 'active' | 'archived'>;
  created_at: CreatedAt;
  updated_at: UpdatedAt;
}

/** A file of a user's own. */
export interface AssetsTable {
  id: Generated<string>;
  user_id: string;
  project_id: string | null;
  kind: AssetKind;
  file_name: string;
  content_type: string;
  bytes: ColumnType<string, number, never>;
  sha256: string;
  /** The file as it came. */
  artifact_id: string;
  /** Of a picture: upright, without metadata, of a bounded size; what a video shows. */
  rendition_artifact_id: string | null;
  media: Json<AssetMedia>;
  created_at: CreatedAt;
}

/** Files that are to be sent past the multipart form, until they are an asset. */
export interface UploadsTable {
  id: Generated<string>;
  user_id: string;
  project_id: string | null;
  kind: AssetKind;
  file_name: string;
  bytes: ColumnType<string, number, never>;
  /** sha256 of the token that allows the upload, hex. */
  token_hash: string;
  asset_id: string | null;
  expires_at: Date;
  created_at: CreatedAt;
}

/** Files that a job was given, so that they stay as long as the job. */
export interface JobInputsTable {
  job_id: string;
  artifact_id: string;
}

export interface JobArtifactsTable {
  job_id: string;
  kind: string;
  name: string;
  artifact_id: string;
  position: number;
}

export interface IdempotencyKeysTable {
  user_id: string;
  key: string;
  /** sha256 of method, path and canonical body, hex. */
  request_hash: string;
  /** Null while the first request is in flight. */
  response_status: number | null;
  response_body: ColumnType<unknown, string | null, string | null>;
  created_at: CreatedAt;
}

export interface VideosTable {
  id: Generated<string>;
  user_id: string;
  project_id: string | null;
  /** The job that made what is shown now. */
  job_id: string;
  title: string;
  description: string;
  duration_seconds: number;
  width: number;
  height: number;
  bytes: ColumnType<string, number, number>;
  video_artifact: string;
  thumbnail_artifact: string;
  vtt_artifact: string;
  srt_artifact: string;
  ass_artifact: string;
  language: string;
  scenes: Json<Scene[]>;
  created_at: CreatedAt;
  updated_at: UpdatedAt;
}

export interface GenerationCacheTable {
  /** sha256 of activity, version and canonical inputs, hex. */
  key: string;
  activity: string;
  value: ColumnType<unknown, string, string>;
  artifacts: string[];
  created_at: CreatedAt;
  last_used_at: UpdatedAt;
}

/** What the user is told; they may clear it. */
export interface ActivitiesTable {
  id: Generated<string>;
  user_id: string;
  type: ActivityType;
  message: string;
  script_id: string | null;
  character_id: string | null;
  video_id: string | null;
  job_id: string | null;
  created_at: CreatedAt;
}

export interface Database {
  job_recipients: JobRecipientsTable;
  provider_credentials: ProviderCredentialsTable;
  name_audio_uses: NameAudioUsesTable;
  users: UsersTable;
  sessions: SessionsTable;
  refresh_tokens: RefreshTokensTable;
  audit_log: AuditLogTable;
  api_keys: ApiKeysTable;
  login_tries: LoginTriesTable;
  jobs: JobsTable;
  webhook_secrets: WebhookSecretsTable;
  artifacts: ArtifactsTable;
  projects: ProjectsTable;
  assets: AssetsTable;
  uploads: UploadsTable;
  job_inputs: JobInputsTable;
  job_artifacts: JobArtifactsTable;
  idempotency_keys: IdempotencyKeysTable;
  videos: VideosTable;
  generation_cache: GenerationCacheTable;
  credit_transactions: CreditTransactionsTable;
  credit_entries: CreditEntriesTable;
  credit_balances: CreditBalancesTable;
  credit_open_holds: CreditOpenHoldsTable;
  activities: ActivitiesTable;
}
