import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Belongings } from './belongings.js';
import type { Operation } from './openapi-operations.js';
import type { Answer, Json, TestApi } from './support.js';
import type { Expectation } from './who-may-table.js';

/** Calls of operations with things of one's own, of others and of nobody. */

export interface Known {
  operation: Operation;
  expectation: Expectation;
}

export interface Caller {
  token: string | undefined;
}

/** What the ids in a path stand for. */
export function idsOf(
  { path }: Operation,
  expectation: Expectation,
  mine: Belongings,
): Record<string, string> {
  const byPlace: [RegExp, string][] = [
    [/\/jobs\/{id}/, mine.jobId],
    [/\/videos\/{id}/, mine.videoId],
    [/\/users\/{id}/, mine.userId],
    [/\/projects\/{id}/, mine.projectId],
    [/\/assets\/{id}/, mine.assetId],
    [/\/uploads\/{id}/, mine.uploadId],
  ];
  const id = byPlace.find(([place]) => place.test(path))?.[1];
  return {
    ...(id === undefined ? {} : { id }),
    artifactId: mine.artifacts.script,
    number: '1',
    ...expectation.ids?.(mine),
  };
}

/** Ids of the same form that nobody has. */
export function inventedFor(name: string): string {
  if (name === 'position') return '999999';
  return name === 'artifactId' ? `${randomBytes(32).toString('hex')}.json` : randomUUID();
}

export const inventedIds = ({ idParameters }: Operation): Record<string, string> =>
  Object.fromEntries(idParameters.map((name) => [name, inventedFor(name)]));

/** Whose id a query parameter or a member of a body asks for. */
export function namedThing(path: string, { bodyIds }: Expectation): (mine: Belongings) => string {
  const said = bodyIds?.[path];
  if (said !== undefined) return said;
  const name = path.split('.').at(-1) ?? '';
  const thing = things.find(([form]) => form.test(name))?.[1];
  if (thing === undefined) throw new Error(`say in bodyIds what ${path} is the id of`);
  return thing;
}

const things: [RegExp, (mine: Belongings) => string][] = [
  [/videoId$/i, (mine) => mine.videoId],
  [/jobId$/i, (mine) => mine.jobId],
  [/(user|actor)Id$/i, (mine) => mine.userId],
  [/projectId$/i, (mine) => mine.projectId],
  [/^imageAssetId$/, (mine) => mine.imageAssetId],
  [/^(baseVideo|video)AssetId$/, (mine) => mine.videoAssetId],
  [/^recipientsAssetId$/, (mine) => mine.recipientsAssetId],
  [/^voiceSampleAssetId$/, (mine) => mine.voiceSampleAssetId],
  [/assetId$/i, (mine) => mine.assetId],
];

/** The body with one more member, as deep as its path says; a number is a place in a list. */
export function withMember(body: unknown, path: string, value: string): unknown {
  const [name = '', ...rest] = path.split('.');
  const within: Json = body ?? {};
  const member = rest.length === 0 ? value : withMember(within[name], rest.join('.'), value);
  return /^\d+$/.test(name) ? Object.assign([...within], { [name]: member }) : { ...within, [name]: member };
}

export interface Call {
  ids?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
}

/** Calls an operation, and holds the answer against what the document declares. */
export async function send(
  api: TestApi,
  { operation, expectation }: Known,
  { token }: Caller,
  mine: Belongings,
  { ids = {}, query = {}, body }: Call = {},
): Promise<Answer> {
  const all = { ...idsOf(operation, expectation, mine), ...ids };
  const path = operation.path.replaceAll(/{(\w+)}/g, (_match, name: string) => {
    const value = all[name];
    if (value === undefined) throw new Error(`${operation.key}: what is {${name}}?`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams({
    ...Object.fromEntries(new URLSearchParams(expectation.query)),
    ...query,
  });
  const form = expectation.form?.();
  const json = body ?? expectation.body?.(mine);
  const response = await fetch(`${api.url}${path}?${search.toString()}`, {
    method: operation.method,
    headers: {
      // Everybody from an address of their own: how often one may try is another test's concern.
      'x-forwarded-for': randomAddress(),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(form !== undefined ? { body: form } : json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  const { status, headers } = response;
  expect(
    operation.statuses,
    `${operation.key} answered ${status}, which it does not declare: ${text}`,
  ).toContain(status);
  const isJson = /json/.test(headers.get('content-type') ?? '');
  return { status, headers, text, json: isJson ? JSON.parse(text) : undefined };
}

function randomAddress(): string {
  return [10, ...randomBytes(3)].join('.');
}

/** An answer without what differs from request to request. */
export function comparable({ status, text, headers }: Answer): string {
  const stamped = /"timestamp":"[^"]*"|"requestId":"[^"]*"/g;
  return `${status} ${headers.get('content-type') ?? ''} ${text.replaceAll(stamped, '')}`;
}
