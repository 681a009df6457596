import type { SeededRandom } from '../../../activities/media/pictures/random.js';
import type { Belongings } from '../belongings.js';
import type { Operation } from '../openapi-operations.js';
import { idsOf } from '../operation-calls.js';
import type { Expectation } from '../who-may-table.js';
import { fuzzedBody, type Body } from './bodies.js';
import { chance, fitting, hostileTexts, wellFormed, type KnownId } from './values.js';

/** As it goes over the wire. */
export interface FuzzRequest {
  method: string;
  /** With the query; printable ASCII. */
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

export interface Target {
  operation: Operation;
  expectation: Expectation;
  token: string;
  /** What its right ids are of. */
  mine: Belongings;
}

/** One part is wrong and the rest right, so that a request comes as far as the part that is tried. */
const spoilable = ['nothing', 'path', 'query', 'headers', 'body', 'body', 'body', 'form'] as const;
export type Spoiled = (typeof spoilable)[number];

/** A request for the operation; the first of a caller's has nothing wrong with it. */
export async function makeRequest(
  target: Target,
  random: SeededRandom,
  isFirst: boolean,
): Promise<FuzzRequest> {
  const { operation, mine } = target;
  const wrong: Spoiled = isFirst ? 'nothing' : random.pick(spoilable);
  const known = knownIds(mine);
  const body = await fuzzedBody(target, known, random, wrong, isFirst);
  return {
    method: operation.method,
    path: `${pathOf(target, random, wrong)}${queryOf(target, known, random, wrong, isFirst)}`,
    headers: headersOf(target, body, random, wrong),
    body: body?.bytes,
  };
}

/** What the members and parameters that name a thing of the caller's are called. */
function knownIds(mine: Belongings): KnownId {
  const ids: Record<string, string> = {
    projectId: mine.projectId,
    assetId: mine.assetId,
    imageAssetId: mine.imageAssetId,
    videoAssetId: mine.videoAssetId,
    audioAssetId: mine.assetId,
    baseVideoAssetId: mine.videoAssetId,
    recipientsAssetId: mine.recipientsAssetId,
    voiceSampleAssetId: mine.voiceSampleAssetId,
    userId: mine.userId,
    actorId: mine.userId,
    contentArtifact: mine.artifacts.content,
    scriptArtifact: mine.artifacts.script,
    captionsArtifact: mine.artifacts.captions,
    pictureArtifacts: mine.artifacts.picture,
    voiceArtifacts: mine.artifacts.voice,
  };
  return (name) => (Object.hasOwn(ids, name) ? ids[name] : undefined);
}

function pathOf({ operation, expectation, mine }: Target, random: SeededRandom, wrong: Spoiled): string {
  const ids = idsOf(operation, expectation, mine);
  const names = [...operation.path.matchAll(/{(\w+)}/g)].map(([, name]) => name ?? '');
  const spoilt =
    wrong === 'path' && names.length > 0 ? random.pick(names as [string, ...string[]]) : undefined;
  return operation.path.replaceAll(/{(\w+)}/g, (_match, name: string) =>
    name === spoilt ? hostileSegment(random) : encodeURIComponent(ids[name] ?? '1'),
  );
}

/** Never empty and never a dot or two, which would be another address. */
function hostileSegment(random: SeededRandom): string {
  const raw = [
    '%00',
    '%ff',
    '%',
    '%zz',
    '%E0%A4',
    '..%2f..',
    '%2e%2e%2fusers',
    '*',
    '~',
    '%0a',
    '1;a=b',
    ':',
    '@',
  ] as const;
  if (chance(random, 0.4)) return random.pick(raw);
  const text = random.pick(hostileTexts);
  return text === '' || text === '.' || text === '..' ? '%20' : encoded(text);
}

/** Percent-encoded, also what is no Unicode, and so short that it is no matter of the server's own limit of 16 KiB. */
function encoded(text: string): string {
  return encodeURIComponent(wellFormed(text.slice(0, 500)));
}

function queryOf(
  { operation, expectation }: Target,
  known: KnownId,
  random: SeededRandom,
  wrong: Spoiled,
  isFirst: boolean,
): string {
  const pairs = [...new URLSearchParams(expectation.query)].map(
    ([name, value]) => `${name}=${encoded(value)}`,
  );
  const declared = operation.parameters.filter((one) => one.in === 'query');
  for (const { name, schema } of isFirst ? [] : declared) {
    if (name !== 'cursor' && chance(random, 0.4)) {
      pairs.push(`${name}=${encoded(String(fitting(schema, random, known, name)))}`);
    }
  }
  if (wrong === 'query') {
    const name =
      declared.length > 0 && chance(random, 0.8)
        ? (declared[Math.floor(random.between(0, declared.length))]?.name ?? '')
        : 'unknown';
    const value = encoded(random.pick(hostileTexts));
    pairs.push(
      random.pick([
        `${name}=${value}`,
        `${name}=${value}`,
        `${name}=${value}`,
        `${name}=1&${name}=2`,
        `${name}[]=${value}`,
        `${name}[a][b]=1`,
        name,
        `${name}=%ff%00%`,
        `%00=${value}`,
        `__proto__[x]=1`,
        '&&=&%',
      ]),
    );
  }
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

const oddHeaders: [string, string][] = [
  ['accept', 'text/html;q=\xff, */*'],
  ['accept-language', 'x'.repeat(2_000)],
  ['authorization', 'Bearer'],
  ['authorization', `Bearer ${'x'.repeat(3_000)}`],
  ['authorization', 'Basic YTpi'],
  ['authorization', 'Bearer \xff\xfe'],
  ['content-encoding', 'gzip'],
  ['cookie', 'a=b; =; \xff; session=%00'],
  ['if-match', '"x"'],
  ['if-modified-since', 'yesterday'],
  ['if-none-match', '*'],
  ['if-none-match', 'W/"\xff", "'],
  ['if-range', 'Wed, 99 Foo 2026'],
  ['origin', 'null'],
  ['prefer', 'wait=0'],
  ['prefer', 'wait=-1, wait=x, respond-async'],
  ['range', 'bytes=0-0'],
  ['range', 'bytes=-0'],
  ['range', 'bytes=5-2'],
  ['range', `bytes=0-${'9'.repeat(40)}`],
  ['range', 'bytes=0-1,2-3,-1'],
  ['range', 'pages=1'],
  ['x-forwarded-for', '::ffff:999.1.1.1, , "'],
  ['x-forwarded-for', 'x'.repeat(3_000)],
  ['x-http-method-override', 'DELETE'],
  ['x-request-id', '\xff'.repeat(100)],
];

function headersOf(
  { operation, token }: Target,
  body: Body | undefined,
  random: SeededRandom,
  wrong: Spoiled,
): Record<string, string> {
  const headers: Record<string, string> = {
    // Everybody from an address of their own: how often one may try is another test's concern.
    'x-forwarded-for': [10, ...Array.from({ length: 3 }, () => Math.floor(random.between(0, 256)))].join('.'),
    authorization: `Bearer ${token}`,
    ...body?.headers,
  };
  if (wrong !== 'headers') return headers;
  const declared = operation.headers.map((name): [string, string] => [
    name,
    // What a header may hold at all; the rest is refused before it is a request.
    random
      .pick(hostileTexts)
      .replaceAll(/[^\x20-\x7e\x80-\xff]/g, '?')
      .slice(0, 3_000),
  ]);
  const isDeclared = declared.length > 0 && chance(random, 0.5);
  const odd = isDeclared ? declared : oddHeaders;
  const [name, value] = odd[Math.floor(random.between(0, odd.length))] ?? ['accept', '*/*'];
  return { ...headers, [name]: value };
}
