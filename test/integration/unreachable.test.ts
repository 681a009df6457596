import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { checkTemporal } from '../../cli/stack/check-temporal.js';
import { freePort } from '../../cli/stack/free-port.js';
import { builtProgram } from '../support/built-program.js';
import { findRunningStack } from '../../cli/stack/stack-record.js';
import { inheritedEnvironment } from '../../config.js';
import { checkDatabase } from '../../db/check-database.js';
import { createTestFolder } from '../support/services.js';

/** Takes connections and never says a word. */
let silent: Server;
let silentPort: number;
let closedPort: number;
let folder: Awaited<ReturnType<typeof createTestFolder>>;

beforeAll(async () => {
  folder = await createTestFolder('unreachable');
  closedPort = await freePort();
  silent = createServer();
  silentPort = await new Promise<number>((resolve) => {
    silent.listen(0, '127.0.0.1', () => {
      const address = silent.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
});
afterAll(async () => {
  silent.close();
  await folder.remove();
});

const password = 'not-to-be-shown';
const databaseAt = (changed: Partial<Pick<URL, 'port' | 'password' | 'pathname'>>) =>
  Object.assign(new URL(inject('databaseUrl')), changed).toString();
const temporalAt = (address: string, namespace = 'default') =>
  checkTemporal(address, { namespace, tls: false, apiKey: undefined });

/** The one sentence with which it is refused, and that this came in seconds. */
async function refusal(check: Promise<void>): Promise<string> {
  const startedAt = Date.now();
  const error: unknown = await check.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(Date.now() - startedAt).toBeLessThan(12_000);
  if (!(error instanceof Error)) throw new Error('it was not refused');
  expect(error.message).not.toMatch(/\n/);
  expect(error.message).not.toContain(password);
  return error.message;
}

describe.concurrent('an existing database', () => {
  it('is taken when it answers', async () => {
    await checkDatabase(inject('databaseUrl'));
  });

  it('that is not there, or says nothing, is named by its place', async () => {
    const check = async (port: number) => {
      expect(await refusal(checkDatabase(databaseAt({ port: String(port), password })))).toBe(
        `PostgreSQL does not answer at 127.0.0.1:${port}: start it there, correct DATABASE_URL, or unset it to use a server of Callsheet's own`,
      );
    };
    await Promise.all([closedPort, silentPort].map(check));
  });

  it('that refuses us is heard', async () => {
    expect(await refusal(checkDatabase(databaseAt({ password })))).toMatch(
      /refuses DATABASE_URL: password authentication failed/,
    );
    expect(await refusal(checkDatabase(databaseAt({ pathname: '/nowhere' })))).toMatch(
      /refuses DATABASE_URL: database "nowhere" does not exist/,
    );
    expect(await refusal(checkDatabase('postgres://a:not-to-be-shown@:x/'))).toMatch(
      /^DATABASE_URL must be like/,
    );
  });
});

describe.concurrent('an existing Temporal', () => {
  it('is taken when it answers and has the namespace', async () => {
    await temporalAt(inject('temporalAddress'));
  });

  it('that is not there, or says nothing, is named by its address', async () => {
    const check = async (port: number) => {
      expect(await refusal(temporalAt(`127.0.0.1:${port}`))).toBe(
        `Temporal does not answer at 127.0.0.1:${port}: start it there, correct TEMPORAL_ADDRESS (and TEMPORAL_TLS), or unset it to use a server of Callsheet's own`,
      );
    };
    await Promise.all([closedPort, silentPort].map(check));
  });

  it('that has no such namespace says which', async () => {
    expect(await refusal(temporalAt(inject('temporalAddress'), 'nowhere'))).toMatch(
      /has no namespace "nowhere": .* set TEMPORAL_NAMESPACE/,
    );
  });
});

it.concurrent(
  'a stack on addresses that do not answer ends with the sentence alone, and starts nothing',
  async () => {
    const env = inheritedEnvironment({
      DATA_DIR: folder.path,
      PORT: String(await freePort()),
      DATABASE_URL: inject('databaseUrl'),
      TEMPORAL_ADDRESS: `127.0.0.1:${closedPort}`,
    });
    const { command, args } = builtProgram('cli/main');
    const ended = await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      execFile(command, [...args, 'start'], { env }, (error, stdout, stderr) => {
        resolve({ code: error?.code ?? 0, stdout, stderr });
      });
    });
    expect(ended).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^Temporal does not answer at 127\.0\.0\.1:\d+: .*own\n$/) as string,
    });
    expect(findRunningStack(folder.path)).toBeUndefined();
  },
);
