import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import type { SupervisedProcess, Supervisor } from '../../cli/stack/process-supervisor.js';
import { waitUntilReady } from '../../cli/stack/wait-until.js';

export interface S3Settings {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  bucket: string;
}

export interface S3ServerOptions {
  /** The `versitygw` program. */
  programPath: string;
  dir: string;
  port: number;
  supervisor: Supervisor;
  /** Of an earlier start on the same folder, whose clients are to find it again. */
  settings?: S3Settings;
}

/** Starts an S3 server over a folder, with one bucket. */
export async function startS3Server(
  options: S3ServerOptions,
): Promise<{ settings: S3Settings; process: SupervisedProcess }> {
  const settings = options.settings ?? {
    endpoint: `http://127.0.0.1:${String(options.port)}`,
    accessKeyId: 'callsheet-test',
    secretAccessKey: randomBytes(16).toString('hex'),
    bucket: 'callsheet',
  };
  const root = join(options.dir, 'objects');
  await mkdir(root, { recursive: true });
  const server = await options.supervisor.start({
    name: 'S3 server',
    command: options.programPath,
    args: ['--quiet', '--port', `127.0.0.1:${String(options.port)}`, 'posix', root],
    // Not in the arguments, which every user of the host can read.
    env: { ROOT_ACCESS_KEY_ID: settings.accessKeyId, ROOT_SECRET_ACCESS_KEY: settings.secretAccessKey },
    logFile: join(options.dir, 's3.log'),
  });
  const client = new S3Client({
    endpoint: settings.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: settings,
    maxAttempts: 1,
  });
  try {
    await waitUntilReady(server, () => client.send(new ListBucketsCommand({})), 20_000);
    if (options.settings === undefined)
      await client.send(new CreateBucketCommand({ Bucket: settings.bucket }));
  } finally {
    client.destroy();
  }
  return { settings, process: server };
}
