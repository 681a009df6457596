import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../activities/media/pictures/random.js';
import { checkLedger } from '../../db/ledger-check.js';
import { createBelongings, type Belongings } from './belongings.js';
import { makeRequest, type FuzzRequest } from './fuzz/requests.js';
import { createWire, type WireAnswer } from './fuzz/wire.js';
import { readOperations, type Operation } from './openapi-operations.js';
import { startApi } from './support.js';
import { expectations } from './who-may-table.js';

/**
 * Requests made up from the OpenAPI document: right ones, and such with one thing wrong. What fails is repeated by
 * FUZZ_SEED, and FUZZ_REQUESTS looks for more than the usual run has time for.
 */
const seed = process.env['FUZZ_SEED'] ?? '1';
const requestsEach = Number(process.env['FUZZ_REQUESTS'] ?? 12);
const answerMs = 15_000;

const api = await startApi({ trustedProxies: 1 });
const operations = await readOperations(api);
const wire = createWire(api.url);

/** What takes something away comes last. */
const inOrder = operations.toSorted((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'));

const last = inOrder.findIndex(({ method }) => method === 'DELETE');

const callers: Record<'user' | 'admin', Belongings | undefined> = { user: undefined, admin: undefined };
type Who = keyof typeof callers;

/** The caller with all their things, or a new one where a request has ended their login. */
async function alive(who: Who): Promise<Belongings> {
  const before = callers[who];
  if (before !== undefined) {
    const { status } = await api.call('/api/v1/users/me', { token: before.token });
    if (status === 200) return before;
  }
  const made = await createBelongings(api);
  if (who === 'admin') {
    await api.db.updateTable('users').set({ role: 'admin' }).where('id', '=', made.userId).execute();
  }
  callers[who] = made;
  return made;
}

beforeAll(async () => {
  await alive('user');
  await alive('admin');
});
afterAll(async () => {
  wire.close();
  await api.stop();
});

/** What is wrong with an answer. */
function faultOf({ statuses }: Operation, { status, contentType, text }: WireAnswer): string | undefined {
  // Nothing is down here, so that a 503 is a fault as well.
  if (status >= 500) return 'a fault of ours';
  if (!statuses.includes(status)) return 'the document does not declare it';
  if (status < 400) return undefined;
  if (!contentType.startsWith('application/problem+json')) return `a problem as ${contentType}`;
  const problem: unknown = JSON.parse(text);
  const isProblem =
    typeof problem === 'object' && problem !== null && 'code' in problem && 'status' in problem;
  return isProblem && problem.status === status ? undefined : 'no problem body';
}

function told({ method, path, headers, body }: FuzzRequest): string {
  const { authorization: _token, 'x-forwarded-for': _address, ...others } = headers;
  const sent = body === undefined ? '' : ` ${body.subarray(0, 600).toString()}`;
  return `${method} ${path} ${JSON.stringify(others)}${sent}`;
}

describe(`made-up requests (FUZZ_SEED=${seed})`, () => {
  it.each(inOrder)('$key', async (operation) => {
    // With jobs of before at work on a video, it could not be deleted.
    if (operation === inOrder[last]) Object.assign(callers, { user: undefined, admin: undefined });
    const expectation = expectations[operation.key];
    if (expectation === undefined) throw new Error('say in who-may-table.ts who may do it');
    const faults: string[] = [];
    const seen = new Set<number>();
    let before = 'nothing';
    for (const who of ['user', 'admin'] as const) {
      const { token } = await alive(who);
      // Admins work on others, and on themselves as users do.
      const mine = await alive(expectation.who === 'admin' ? 'user' : who);
      const random = seededRandom('fuzz', seed, operation.key, who);
      for (let turn = 0; turn < requestsEach; turn++) {
        const request = await makeRequest({ operation, expectation, token, mine }, random, turn === 0);
        const about = told(request);
        const answer = await wire.send(request, answerMs).catch((error: unknown) => {
          faults.push(`no answer, ${String(error)}\n  for ${about}\n  after ${before}`);
        });
        before = about;
        if (answer === undefined) continue;
        seen.add(answer.status);
        const fault = faultOf(operation, answer);
        if (fault !== undefined) {
          faults.push(`${fault}: ${answer.status} ${answer.text.slice(0, 300)}\n  for ${about}`);
        }
      }
    }
    expect(faults.join('\n')).toBe('');
    // Or nothing was tried but the door.
    expect([...seen]).toContain(expectation.ok);
  });

  it('leave the books in order and the API in health', async () => {
    expect(await checkLedger(api.db)).toEqual([]);
    expect((await api.call('/ready')).status).toBe(200);
    expect(api.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
