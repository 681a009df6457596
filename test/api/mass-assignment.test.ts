import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerAdmin } from './admins.js';
import { createBelongings, type Belongings } from './belongings.js';
import { startApi, type Json } from './support.js';
import { expectations } from './who-may-table.js';

/** What only the program itself may set. */
const forbidden = ['userId', 'role', 'credits', 'status', 'storageKey'];

const api = await startApi();
const document: Json = (await api.call('/openapi.json')).json;
afterAll(() => api.stop());

/** Names of a schema's own members, through references and alternatives. */
function membersOf(schema: Json): string[] {
  if (schema === undefined) return [];
  if (schema.$ref !== undefined) {
    return membersOf(document.components.schemas[String(schema.$ref).split('/').at(-1) ?? '']);
  }
  const within: Json[] = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [...Object.keys(schema.properties ?? {}), ...within.flatMap(membersOf)];
}

/** Every operation that takes a body, with its form and the fields of ours that it takes by right. */
const operations = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
  Object.entries<Json>(methods).flatMap(([method, operation]) => {
    const content = operation.requestBody?.content ?? {};
    const key = `${method.toUpperCase()} ${path.replace('/api/v1', '')}`;
    return Object.entries<Json>(content)
      .filter(([type]) => type === 'application/json' || type === 'multipart/form-data')
      .map(([type, { schema }]) => ({
        key,
        method: method.toUpperCase(),
        path: path.replaceAll('{number}', '1').replaceAll(/{\w+}/g, crypto.randomUUID()),
        isForm: type === 'multipart/form-data',
        members: membersOf(schema),
      }));
  }),
);

let mine: Belongings;
let token: string;
beforeAll(async () => {
  mine = await createBelongings(api);
  // An admin may do all of it, so that only the body can be what is wrong.
  ({ token } = await registerAdmin(api));
});

it('looks at many operations, with JSON and with forms', () => {
  expect(operations.filter(({ isForm }) => !isForm).length).toBeGreaterThan(15);
  expect(operations.filter(({ isForm }) => isForm).length).toBeGreaterThanOrEqual(2);
});

/** The body with `field` in it and in each object within it, with the paths that must be refused. */
function withField(body: Json, field: string, place: string): { body: Json; paths: string[] } {
  const within = Object.entries<Json>(body).map(([name, value]) => {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return [
      name,
      isObject ? withField(value, field, `${place}.${name}`) : { body: value, paths: [] },
    ] as const;
  });
  return {
    body: { ...Object.fromEntries(within.map(([name, inner]) => [name, inner.body])), [field]: 'admin' },
    paths: [`${place}.${field}`, ...within.flatMap(([, inner]) => inner.paths)],
  };
}

describe.each(operations)('$key', ({ key, method, path, isForm, members }) => {
  it.each(forbidden.filter((field) => !members.includes(field)))('has no field %s', async (field) => {
    const expectation = expectations[key];
    let answer: { status: number; json: Json };
    let paths = [`body.${field}`];
    if (isForm) {
      const form = expectation?.form?.() ?? new FormData();
      form.append(field, 'admin');
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${api.url}${path}`, { method, headers, body: form });
      answer = { status: response.status, json: await response.json() };
    } else {
      const bad = withField(expectation?.body?.(mine) ?? {}, field, 'body');
      answer = await api.call(path, { method, token, body: bad.body });
      ({ paths } = bad);
    }
    expect([answer.status, answer.json.code]).toEqual([422, 'validation_failed']);
    const refused = answer.json.errors.map((error: { path: string }) => error.path);
    expect(refused).toEqual(expect.arrayContaining(paths));
  });
});

it('changes nothing that it names', async () => {
  const rows = await api.db
    .selectFrom('users')
    .select(['role', 'status'])
    .where('id', '=', mine.userId)
    .execute();
  expect(rows).toEqual([{ role: 'user', status: 'active' }]);
});
