import type { SeededRandom } from '../../../activities/media/pictures/random.js';
import type { Json } from '../support.js';
import type { Spoiled, Target } from './requests.js';
import {
  chance,
  fitting,
  hostile,
  hostileTexts,
  spoiled,
  toJson,
  wellFormed,
  type KnownId,
} from './values.js';

export interface Body {
  headers: Record<string, string>;
  bytes: Buffer;
}

/** A body for the operation; undefined where it takes none, and sometimes none is to be wrong. */
export async function fuzzedBody(
  target: Target,
  known: KnownId,
  random: SeededRandom,
  wrong: Spoiled,
  isFirst: boolean,
): Promise<Body | undefined> {
  const { bodies } = target.operation;
  const isWrong = wrong === 'body' || wrong === 'form';
  if (Object.keys(bodies).length === 0) return isWrong ? json(hostile(random)) : undefined;
  const form = bodies['multipart/form-data'];
  const schema = bodies['application/json'];
  if (form !== undefined && (schema === undefined || wrong === 'form')) {
    return wrong === 'body' ? unreadable(random) : formBody(target, form, known, random, wrong, isFirst);
  }
  if (schema === undefined)
    return { headers: { 'content-type': 'application/octet-stream' }, bytes: noise(random) };
  const fit = bodyThatFits(target, schema, known, random, isFirst);
  if (!isWrong) return fit === undefined ? undefined : json(fit);
  return chance(random, 0.75) ? json(spoiled(fit ?? {}, random)) : unreadable(random);
}

function bodyThatFits(
  { expectation, mine }: Target,
  schema: Json,
  known: KnownId,
  random: SeededRandom,
  isFirst: boolean,
): unknown {
  const usual = expectation.body?.(mine);
  if (isFirst) return usual;
  const made = fitting(schema, random, known);
  const both = typeof usual === 'object' && typeof made === 'object' ? { ...made, ...usual } : made;
  return random.pick([usual, made, both, both]);
}

function json(value: unknown): Body {
  return { headers: { 'content-type': 'application/json' }, bytes: Buffer.from(toJson(value ?? null)) };
}

const noise = (random: SeededRandom): Buffer =>
  Buffer.from(Array.from({ length: 200 }, () => Math.floor(random.between(0, 256))));

/** What is no JSON, or is not said to be. */
function unreadable(random: SeededRandom): Body {
  const type = random.pick([
    'application/json',
    'application/json',
    'application/json; charset=utf-16',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/vnd.api+json',
    'application/json\xff',
    ';',
    '',
  ]);
  const text = random.pick([
    '',
    ' ',
    '{',
    '{"a":1,}',
    '{"a":NaN}',
    `{"prompt":'x'}`,
    '\ufeff{}',
    '[]',
    'null',
    '"text"',
    '0',
    '{}{}',
    '{"a":"\\ud800\\u0000"}',
    '{"a":"\\x00"}',
    '--x\r\n\r\n',
    `--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n${'x'.repeat(500)}`,
    '--x\r\ncontent-disposition: form-data; name="__proto__"\r\n\r\n1\r\n--x--\r\n',
    `--x\r\n${'a: b\r\n'.repeat(3_000)}\r\n`,
    '['.repeat(50_000),
    `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
    `"${'x'.repeat(900_000)}"`,
    'prompt=tides&amount=1',
  ]);
  const bytes = chance(random, 0.1) ? noise(random) : Buffer.from(text);
  const asUtf16 = Buffer.from(text, 'utf16le');
  return {
    headers: type === '' ? {} : { 'content-type': type },
    bytes: chance(random, 0.1) ? asUtf16 : bytes,
  };
}

async function formBody(
  { expectation }: Target,
  schema: Json,
  known: KnownId,
  random: SeededRandom,
  wrong: Spoiled,
  isFirst: boolean,
): Promise<Body> {
  const form = expectation.form?.() ?? new FormData();
  for (const [name, member] of isFirst ? [] : Object.entries<Json>(schema.properties ?? {})) {
    const isThere = form.has(name);
    if (member.format === 'binary') {
      if (!isThere || chance(random, 0.3)) form.set(name, new Blob([noise(random)]), 'a.mp4');
    } else if (chance(random, 0.2)) form.set(name, String(fitting(member, random, known, name)));
  }
  if (wrong === 'form') spoilForm(form, random);
  const request = new Request('http://localhost', { method: 'POST', body: form });
  const type = request.headers.get('content-type') ?? '';
  return { headers: { 'content-type': type }, bytes: Buffer.from(await request.arrayBuffer()) };
}

function spoilForm(form: FormData, random: SeededRandom): void {
  const names = [...form.keys(), '__proto__', 'unknown'];
  const name = names[Math.floor(random.between(0, names.length))] ?? '';
  const text = wellFormed(random.pick(hostileTexts));
  switch (random.pick(['text', 'file', 'twice', 'none', 'many'])) {
    case 'text':
      form.set(name, text);
      break;
    case 'file':
      form.set(name, new Blob([noise(random)], { type: text.slice(0, 100) }), text.slice(0, 4_000));
      break;
    case 'twice':
      form.append(name, text);
      form.append(name, new Blob(['x']), '../../x');
      break;
    case 'none':
      form.delete(name);
      break;
    default:
      for (let i = 0; i < 300; i++) form.append(`field-${i}`, text.slice(0, 20));
  }
}
