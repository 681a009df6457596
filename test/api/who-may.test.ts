import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditRows } from './admins.js';
import { createBelongings, type Belongings } from './belongings.js';
import { readOperations } from './openapi-operations.js';
import {
  comparable,
  idsOf,
  inventedFor,
  inventedIds,
  namedThing,
  send,
  withMember,
} from './operation-calls.js';
import type { Call, Caller, Known } from './operation-calls.js';
import { startApi } from './support.js';
import { expectations, type Expectation } from './who-may-table.js';

const base = '/api/v1';
const api = await startApi({ trustedProxies: 1 });
const operations = await readOperations(api);
afterAll(() => api.stop());

const call = (known: Known, caller: Caller, mine: Belongings, what?: Call) =>
  send(api, known, caller, mine, what);

const listed = operations.map((operation) => {
  const expectation = expectations[operation.key];
  return { key: operation.key, operation, expectation };
});
const known = listed.filter(
  (one): one is typeof one & { expectation: Expectation } => one.expectation !== undefined,
);

describe('the document and the expectations', () => {
  it('name the same operations', () => {
    expect(operations.map(({ key }) => key).toSorted()).toEqual(Object.keys(expectations).toSorted());
  });

  it.each(operations)('$key tells its answers and what it is for', (operation) => {
    const { statuses, idParameters, method } = operation;
    expect(operation.summary).toMatch(/\S/);
    expect(operation.tags).toHaveLength(1);
    expect(statuses.some((status) => status >= 200 && status < 300)).toBe(true);
    if (operation.needsToken) expect(statuses).toEqual(expect.arrayContaining([401, 403]));
    if (idParameters.length > 0) expect(statuses).toContain(404);
    // Or the document is none: a path without one of its parts is another path.
    const inPath = operation.parameters.filter((one) => one.in === 'path');
    expect(inPath.map((one) => one.required)).toEqual(inPath.map(() => true));
    if (operation.hasBody) expect(statuses).toEqual(expect.arrayContaining([400, 413]));
    if (operation.hasJsonBody) expect(statuses).toEqual(expect.arrayContaining([415, 422]));
    const startsWork = statuses.includes(202) && method !== 'DELETE';
    const movesMoney = /\/credits$|\/checkout$/.test(operation.path) && method === 'POST';
    if (startsWork || movesMoney) expect(operation.headers).toContain('idempotency-key');
    else expect(operation.headers).not.toContain('idempotency-key');
    if (operation.headers.includes('idempotency-key')) {
      expect(statuses).toEqual(expect.arrayContaining([409, 422]));
    }
  });
});

let stranger: Belongings;
let admin: Belongings;
/** Tokens that let nobody in, with the answer that they get. */
let outsiders: { who: string; token: string | undefined; status: number; code: string }[];

beforeAll(async () => {
  stranger = await createBelongings(api);
  admin = await createBelongings(api);
  await api.db.updateTable('users').set({ role: 'admin' }).where('id', '=', admin.userId).execute();
  const late = await api.register();
  await api.db
    .updateTable('sessions')
    .set({ expires_at: new Date(Date.now() - 1_000) })
    .where('user_id', '=', late.id)
    .execute();
  const suspended = await createBelongings(api);
  const path = `${base}/admin/users/${suspended.userId}/suspend`;
  expect((await api.call(path, { method: 'POST', token: admin.token })).status).toBe(200);
  const closed = { status: 401, code: 'unauthorized' };
  outsiders = [
    { who: 'no token', token: undefined, ...closed },
    { who: 'an unknown token', token: randomBytes(32).toString('hex'), ...closed },
    { who: 'an expired token', token: late.token, ...closed },
    { who: 'a suspended user', token: suspended.token, ...closed },
    {
      who: 'the API key of a suspended user',
      token: suspended.apiKey,
      status: 403,
      code: 'account_suspended',
    },
  ];
});

describe.each(known)('$key', (known) => {
  const { operation, expectation } = known;
  const isOpen = expectation.who === 'anybody';
  let owner: Belongings;
  beforeAll(async () => {
    owner = await createBelongings(api);
  });

  it('needs a valid token of an active account, or none', async () => {
    expect(operation.needsToken).toBe(!isOpen);
    for (const { who, token, status, code } of outsiders) {
      const answer = await call(known, { token }, owner);
      if (isOpen) expect([who, answer.status]).toEqual([who, expectation.ok]);
      else expect([who, answer.status, answer.json.code]).toEqual([who, status, code]);
    }
  });

  if (expectation.who === 'admin') {
    it('tells others nothing, not even what is there', async () => {
      const answers = [await call(known, stranger, owner)];
      for (const name of operation.idParameters) {
        answers.push(await call(known, stranger, owner, { ids: { [name]: inventedFor(name) } }));
        answers.push(await call(known, stranger, owner, { ids: { [name]: 'no-id' } }));
      }
      expect([answers[0]?.status, answers[0]?.json.code]).toEqual([403, 'forbidden']);
      expect(new Set(answers.map(comparable)).size).toBe(1);
    });
  }

  if (expectation.who === 'owner') {
    it('is for others, admins too, as if there were nothing', async () => {
      for (const other of [stranger, admin]) {
        const their = await call(known, other, owner);
        const missing = inventedIds(operation);
        expect(their.status, their.text).toBe(404);
        expect(comparable(their)).toBe(comparable(await call(known, other, owner, { ids: missing })));
        expect(comparable(their)).toBe(
          comparable(
            await call(known, other, owner, {
              ids: { ...missing, [operation.idParameters[0] ?? '']: 'no-id' },
            }),
          ),
        );
      }
    });

    it('takes no single id of theirs beside ids of one’s own', async () => {
      const theirs = idsOf(operation, expectation, owner);
      for (const name of operation.idParameters) {
        const mixed = { ...idsOf(operation, expectation, stranger), [name]: theirs[name] ?? '' };
        const answer = await call(known, stranger, stranger, { ids: mixed });
        const none = await call(known, stranger, stranger, { ids: { ...mixed, [name]: inventedFor(name) } });
        expect([name, answer.status]).toEqual([name, 404]);
        expect(comparable(answer)).toBe(comparable(none));
      }
    });
  }

  for (const name of operation.idQueries) {
    it(`shows with ?${name}= of theirs what it shows with one that is not there`, async () => {
      const id = namedThing(name, expectation)(owner);
      const caller = expectation.who === 'admin' ? admin : stranger;
      const their = await call(known, caller, caller, { query: { [name]: id } });
      const none = await call(known, caller, caller, { query: { [name]: randomUUID() } });
      if (expectation.who !== 'admin') expect(comparable(their)).toBe(comparable(none));
      expect((await call(known, owner, owner, { query: { [name]: id } })).status).toBe(
        expectation.who === 'admin' ? 403 : expectation.ok,
      );
    });
  }

  for (const path of operation.bodyIds) {
    it(`takes no ${path} of theirs`, async () => {
      const caller = expectation.who === 'admin' ? admin : stranger;
      const withId = (id: string, mine: Belongings) =>
        withMember((expectation.otherBodies?.[path] ?? expectation.body)?.(mine), path, id);
      const thing = namedThing(path, expectation)(owner);
      const their = await call(known, caller, caller, { body: withId(thing, caller) });
      const none = await call(known, caller, caller, { body: withId(randomUUID(), caller) });
      expect([404, 422]).toContain(their.status);
      expect(comparable(their)).toBe(comparable(none));
      const another = await createBelongings(api);
      const own = withId(namedThing(path, expectation)(another), another);
      const mine = await call(known, another, another, { body: own });
      const { ok } = expectation;
      expect([path, mine.status, mine.status === ok ? '' : mine.text]).toEqual([path, ok, '']);
    });
  }

  it('answers whom it is for, and tells the audit log just what it did', async () => {
    const caller = expectation.who === 'admin' ? admin : owner;
    const { ok, needsLogin } = expectation;
    const before = (await auditRows(api)).length;
    const answer = await call(known, caller, owner);
    expect([answer.status, answer.status === ok ? '' : answer.text]).toEqual([ok, '']);
    expect((await auditRows(api, before)).map(([action]) => action)).toEqual(expectation.audit ?? []);
    for (const name of expectation.who === 'user' ? [] : operation.idParameters) {
      const missing = await call(known, caller, owner, { ids: { [name]: inventedFor(name) } });
      expect([name, missing.status]).toEqual([name, 404]);
    }
    if (isOpen) return;
    // The first call may have used things up.
    const another = await createBelongings(api);
    const key = expectation.who === 'admin' ? admin.apiKey : another.apiKey;
    const byKey = await call(known, { token: key }, another);
    const expected = needsLogin === true ? [403, 'session_required'] : [ok, byKey.json?.code];
    expect([byKey.status, byKey.json?.code]).toEqual(expected);
  });
});
