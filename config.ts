import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';

/**
 * The only reader of the process environment. The environment is read flat, then grouped into typed sections,
 * and contradictions are refused before anything starts. Nothing here is ever logged.
 */
const text = z.string().trim().min(1);
const port = z.coerce.number().int().min(0).max(65535);
const count = z.coerce.number().int().min(1).max(10_000);
const bytes = z.coerce.number().int().positive();
const rate = z.coerce.number().positive();
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

const environment = z.object({
  HOST: text.default('127.0.0.1'),
  PORT: port.default(8000),
  /** Reverse proxies in front of the API, whose X-Forwarded-For then tells a client's address. */
  TRUSTED_PROXIES: z.coerce.number().int().min(0).max(10).default(0),
  TEMPORAL_UI_PORT: port.default(8233),
  DATA_DIR: text.default('.callsheet'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  DATABASE_URL: text.optional(),
  DATABASE_SCHEMA: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/)
    .default('callsheet'),
  DATABASE_POOL_SIZE: count.default(10),
  TEMPORAL_ADDRESS: text.optional(),
  TEMPORAL_NAMESPACE: text.default('default'),
  TEMPORAL_API_KEY: text.optional(),
  TEMPORAL_TLS: flag.default(false),
  TEMPORAL_CLI: text.optional(),
  STORAGE: z.enum(['local', 's3']).default('local'),
  STORAGE_DIR: text.optional(),
  S3_ENDPOINT: z.url().optional(),
  S3_PUBLIC_ENDPOINT: z.url().optional(),
  S3_REGION: text.default('us-east-1'),
  S3_BUCKET: text.optional(),
  S3_ACCESS_KEY_ID: text.optional(),
  S3_SECRET_ACCESS_KEY: text.optional(),
  S3_FORCE_PATH_STYLE: flag.default(true),
  ARTIFACT_CACHE_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(10 * 1024 ** 3),
  FFMPEG_PATH: text.default('ffmpeg'),
  FFPROBE_PATH: text.default('ffprobe'),
  MAX_IMAGE_BYTES: bytes.default(25 * 1024 ** 2),
  MAX_AUDIO_BYTES: bytes.default(512 * 1024 ** 2),
  MAX_VIDEO_BYTES: bytes.default(5 * 1024 ** 3),
  MAX_RECIPIENTS_BYTES: bytes.default(20 * 1024 ** 2),
  MAX_MEDIA_SECONDS: z.coerce
    .number()
    .int()
    .positive()
    .default(4 * 3600),
  CACHE_DAYS: count.default(30),
  COLLECT_GRACE_HOURS: count.default(48),
  GEMINI_API_KEY: text.optional(),
  GEMINI_BASE_URL: z.url().default('https://generativelanguage.googleapis.com'),
  GEMINI_MODEL: text.default('gemini-2.5-flash'),
  ELEVENLABS_API_KEY: text.optional(),
  ELEVENLABS_BASE_URL: z.url().default('https://api.elevenlabs.io'),
  ELEVENLABS_MODEL_ID: text.default('eleven_multilingual_v2'),
  GOOGLE_TTS_API_KEY: text.optional(),
  GOOGLE_TTS_BASE_URL: z.url().default('https://texttospeech.googleapis.com'),
  F5_TTS_URL: z.url().optional(),
  /** A JSON array: program and arguments, `{out}` for the WAV to write and `{lang}` for the language. */
  TTS_COMMAND: z.string().optional(),
  /** 32 bytes in base64: with it the keys that users bring are encrypted. */
  CREDENTIALS_KEY: z
    .string()
    .refine((value) => isKey(value), 'must be 32 bytes in base64 (openssl rand -base64 32)')
    .optional(),
  SYNC_API_KEY: text.optional(),
  SYNC_BASE_URL: z.url().default('https://api.sync.so'),
  SYNC_MODEL: text.default('lipsync-2'),
  WAV2LIP_REPO: text.optional(),
  WAV2LIP_CHECKPOINT: text.optional(),
  WAV2LIP_CHECKPOINT_SHA256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i)
    .optional(),
  WAV2LIP_PYTHON: text.default('python3'),
  /** Where a GPU's libraries and caches are; Wav2Lip gets these of our environment, and no others. */
  CUDA_VISIBLE_DEVICES: text.optional(),
  LD_LIBRARY_PATH: text.optional(),
  HOME: text.optional(),
  ORCHESTRATION_CONCURRENCY: count.default(20),
  LLM_CONCURRENCY: count.default(8),
  TTS_CONCURRENCY: count.default(4),
  LIPSYNC_CONCURRENCY: count.default(1),
  MEDIA_CONCURRENCY: count.default(availableParallelism()),
  DELIVERY_CONCURRENCY: count.default(8),
  LLM_PER_SECOND: rate.optional(),
  TTS_PER_SECOND: rate.optional(),
  LIPSYNC_PER_SECOND: rate.optional(),
  DELIVERY_PER_SECOND: rate.optional(),
  /** For development: callbacks may go to plain http and to addresses that are not public. */
  CALLBACK_PRIVATE_ADDRESSES: flag.default(false),
  /** Credits that a new account begins with. */
  SIGNUP_CREDITS: z.coerce.number().int().min(0).max(1_000_000).default(20),
  /** For the command line, at an API elsewhere. */
  CALLSHEET_TOKEN: text.optional(),
  SHUTDOWN_GRACE_SECONDS: count.default(30),
  SWEEP_INTERVAL_SECONDS: count.default(5),
});

/** Names of all variables that are read. */
export const settingNames: readonly string[] = Object.keys(environment.shape);

export type Config = ReturnType<typeof readConfig>;

/**
 * @param env usually `process.env`.
 * @throws Error naming every variable that is wrong, never its value.
 */
export function readConfig(env: Record<string, string | undefined> = process.env) {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`configuration is wrong:\n  ${problems.join('\n  ')}`);
  }
  const e = parsed.data;
  const dataDir = resolve(e.DATA_DIR);
  return {
    dataDir,
    logLevel: e.LOG_LEVEL,
    api: { host: e.HOST, port: e.PORT, trustedProxies: e.TRUSTED_PROXIES },
    database: { url: e.DATABASE_URL, schema: e.DATABASE_SCHEMA, poolSize: e.DATABASE_POOL_SIZE },
    temporal: {
      address: e.TEMPORAL_ADDRESS,
      namespace: e.TEMPORAL_NAMESPACE,
      apiKey: e.TEMPORAL_API_KEY,
      tls: e.TEMPORAL_TLS,
      cliPath: e.TEMPORAL_CLI,
      uiPort: e.TEMPORAL_UI_PORT,
    },
    storage: storageSection(e, dataDir),
    artifactCacheBytes: e.ARTIFACT_CACHE_BYTES,
    tools: { ffmpegPath: e.FFMPEG_PATH, ffprobePath: e.FFPROBE_PATH },
    intake: intakeSection(e),
    collector: { cacheDays: e.CACHE_DAYS, graceHours: e.COLLECT_GRACE_HOURS },
    gemini:
      e.GEMINI_API_KEY === undefined
        ? undefined
        : { apiKey: e.GEMINI_API_KEY, baseUrl: e.GEMINI_BASE_URL, model: e.GEMINI_MODEL },
    ...voiceSections(e),
    credentials: credentialsSection(e, dataDir),
    sync:
      e.SYNC_API_KEY === undefined
        ? undefined
        : { apiKey: e.SYNC_API_KEY, baseUrl: e.SYNC_BASE_URL, model: e.SYNC_MODEL },
    wav2lip: wav2lipSection(e),
    pools: {
      orchestration: { concurrency: e.ORCHESTRATION_CONCURRENCY, perSecond: undefined },
      llm: { concurrency: e.LLM_CONCURRENCY, perSecond: e.LLM_PER_SECOND },
      tts: { concurrency: e.TTS_CONCURRENCY, perSecond: e.TTS_PER_SECOND },
      lipsync: { concurrency: e.LIPSYNC_CONCURRENCY, perSecond: e.LIPSYNC_PER_SECOND },
      media: { concurrency: e.MEDIA_CONCURRENCY, perSecond: undefined },
      delivery: { concurrency: e.DELIVERY_CONCURRENCY, perSecond: e.DELIVERY_PER_SECOND },
    },
    callbacks: { allowPrivate: e.CALLBACK_PRIVATE_ADDRESSES },
    signupCredits: e.SIGNUP_CREDITS,
    client: { token: e.CALLSHEET_TOKEN },
    shutdownGraceSeconds: e.SHUTDOWN_GRACE_SECONDS,
    sweepIntervalSeconds: e.SWEEP_INTERVAL_SECONDS,
  };
}

/** What users may bring. */
function intakeSection(e: z.infer<typeof environment>) {
  const audio = e.MAX_AUDIO_BYTES;
  return {
    maxBytes: {
      image: e.MAX_IMAGE_BYTES,
      audio,
      music: audio,
      voice_sample: audio,
      video: e.MAX_VIDEO_BYTES,
      recipients: e.MAX_RECIPIENTS_BYTES,
    },
    maxSeconds: e.MAX_MEDIA_SECONDS,
  };
}

function storageSection(e: z.infer<typeof environment>, dataDir: string) {
  if (e.STORAGE === 'local') {
    return { kind: 'local' as const, dir: resolve(e.STORAGE_DIR ?? resolve(dataDir, 'storage')) };
  }
  if (e.S3_BUCKET === undefined) throw new Error('configuration is wrong:\n  STORAGE=s3 needs S3_BUCKET');
  if ((e.S3_ACCESS_KEY_ID === undefined) !== (e.S3_SECRET_ACCESS_KEY === undefined)) {
    throw new Error('configuration is wrong:\n  S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together');
  }
  return {
    kind: 's3' as const,
    endpoint: e.S3_ENDPOINT,
    publicEndpoint: e.S3_PUBLIC_ENDPOINT,
    region: e.S3_REGION,
    bucket: e.S3_BUCKET,
    credentials:
      e.S3_ACCESS_KEY_ID !== undefined && e.S3_SECRET_ACCESS_KEY !== undefined
        ? { accessKeyId: e.S3_ACCESS_KEY_ID, secretAccessKey: e.S3_SECRET_ACCESS_KEY }
        : undefined,
    forcePathStyle: e.S3_FORCE_PATH_STYLE,
  };
}

/** Voices for names. ElevenLabs is there without a key of ours, too: users may bring their own. */
function voiceSections(e: z.infer<typeof environment>) {
  return {
    elevenlabs: {
      apiKey: e.ELEVENLABS_API_KEY,
      baseUrl: e.ELEVENLABS_BASE_URL,
      modelId: e.ELEVENLABS_MODEL_ID,
    },
    google:
      e.GOOGLE_TTS_API_KEY === undefined
        ? undefined
        : { apiKey: e.GOOGLE_TTS_API_KEY, baseUrl: e.GOOGLE_TTS_BASE_URL },
    f5: e.F5_TTS_URL === undefined ? undefined : { url: e.F5_TTS_URL },
    ttsCommand: e.TTS_COMMAND === undefined ? undefined : commandTemplate(e.TTS_COMMAND),
  };
}

function commandTemplate(given: string): string[] {
  const problem =
    'configuration is wrong:\n  TTS_COMMAND must be a JSON array of texts, one of them with {out}';
  let json: unknown;
  try {
    json = JSON.parse(given);
  } catch {
    throw new Error(problem);
  }
  const template = z.array(z.string().min(1)).min(1).safeParse(json);
  if (!template.success || !template.data.slice(1).some((token) => token.includes('{out}'))) {
    throw new Error(problem);
  }
  return template.data;
}

function isKey(base64: string): boolean {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && Buffer.from(base64, 'base64').length === 32;
}

/** Where files lie on this host, everything does, and a key in a file is known to all of it. */
function credentialsSection(e: z.infer<typeof environment>, dataDir: string) {
  return {
    key: e.CREDENTIALS_KEY === undefined ? undefined : Buffer.from(e.CREDENTIALS_KEY, 'base64'),
    file: e.STORAGE === 'local' ? resolve(dataDir, 'credentials.key') : undefined,
  };
}

function wav2lipSection(e: z.infer<typeof environment>) {
  const { WAV2LIP_REPO: repo, WAV2LIP_CHECKPOINT: checkpoint, WAV2LIP_CHECKPOINT_SHA256: hash } = e;
  if (repo === undefined && checkpoint === undefined && hash === undefined) return undefined;
  if (repo === undefined || checkpoint === undefined || hash === undefined) {
    throw new Error(
      'configuration is wrong:\n  WAV2LIP_REPO, WAV2LIP_CHECKPOINT and WAV2LIP_CHECKPOINT_SHA256 go together',
    );
  }
  const { CUDA_VISIBLE_DEVICES, LD_LIBRARY_PATH, HOME } = e;
  const given = Object.entries({ CUDA_VISIBLE_DEVICES, LD_LIBRARY_PATH, HOME });
  return {
    repo: resolve(repo),
    checkpoint: resolve(checkpoint),
    checkpointSha256: hash,
    python: e.WAV2LIP_PYTHON,
    env: Object.fromEntries(given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
  };
}

/** The environment that a child process gets: ours, with `extra` over it. The only other use of process.env. */
export function inheritedEnvironment(extra: Record<string, string> = {}): Record<string, string | undefined> {
  return { ...process.env, ...extra };
}
