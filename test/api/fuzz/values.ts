import type { SeededRandom } from '../../../activities/media/pictures/random.js';
import type { Json } from '../support.js';

/** An id of the caller's for a member or parameter of this name, where there is one. */
export type KnownId = (name: string) => string | undefined;

/** A number as JSON may spell it and JavaScript cannot. */
class Spelled {
  constructor(readonly text: string) {}
  toJSON(): string {
    return `\u{e000}${this.text}\u{e000}`;
  }
}

/** JSON of a made-up value; the halves of surrogate pairs become escapes, as JSON allows. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/"\u{e000}([^\u{e000}]*)\u{e000}"/gu, '$1');
}

export const chance = (random: SeededRandom, probability: number): boolean =>
  random.between(0, 1) < probability;
const whole = (random: SeededRandom, low: number, high: number): number =>
  Math.floor(random.between(low, high + 1));
const hex = (random: SeededRandom, length: number): string =>
  Array.from({ length }, () => whole(random, 0, 15).toString(16)).join('');

export const uuid = (random: SeededRandom): string =>
  `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-8${hex(random, 3)}-${hex(random, 12)}`;

const niceTexts = [
  'Tides',
  'Wörter, die länger sind',
  '潮の満ち引き',
  'المد والجزر',
  'ज्वार-भाटा',
  '👩‍👩‍👧 🇪🇺',
  'Z͑ͫ̓a͋̾l̐g͛o',
  `{\\an8}',drawtext=textfile=x %{} $(touch x)`,
  '<script>alert(1)</script>',
] as const;

const times = [
  '2026-11-21T03:04:05Z',
  '2999-12-31T23:59:59.999Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2026-02-28T23:59:59.123456Z',
] as const;

/** A value that a schema takes, as far as the schema says what it takes. */
export function fitting(schema: Json, random: SeededRandom, known: KnownId, name = ''): unknown {
  if (schema === undefined) return null;
  if (schema.const !== undefined) return schema.const;
  const choices: Json[] | undefined = schema.enum ?? schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    const chosen = choices[whole(random, 0, choices.length - 1)];
    return schema.enum === undefined ? fitting(chosen, random, known, name) : chosen;
  }
  if (schema.allOf !== undefined) {
    const parts = (schema.allOf as Json[]).map((one) => fitting(one, random, known, name));
    return Object.assign({}, ...parts) as unknown;
  }
  const types: string[] = [schema.type].flat();
  switch (types[whole(random, 0, types.length - 1)]) {
    case 'null':
      return null;
    case 'boolean':
      return chance(random, 0.5);
    case 'integer':
    case 'number':
      return fittingNumber(schema, random);
    case 'array': {
      const least = Math.max(schema.minItems ?? 0, chance(random, 0.7) ? 1 : 0);
      const length = Math.min(schema.maxItems ?? 3, least + whole(random, 0, 2));
      return Array.from({ length }, () => fitting(schema.items, random, known, name));
    }
    case 'object': {
      const required: string[] = schema.required ?? [];
      const members = Object.entries<Json>(schema.properties ?? {}).filter(
        ([member]) => required.includes(member) || chance(random, 0.4),
      );
      return Object.fromEntries(
        members.map(([member, one]) => [member, fitting(one, random, known, member)]),
      );
    }
    default:
      return fittingText(schema, random, known, name);
  }
}

function fittingNumber({ minimum, maximum, type }: Json, random: SeededRandom): number {
  const low = Number(minimum ?? -1000);
  const high = Number(maximum ?? Math.max(low, 1000));
  const between = random.between(low, high);
  return random.pick([low, high, [type].flat().includes('integer') ? Math.floor(between) : between]);
}

function fittingText(schema: Json, random: SeededRandom, known: KnownId, name: string): string {
  const { format, pattern, example, minLength = 0, maxLength = 4_000 } = schema;
  const mine = known(name);
  if (mine !== undefined && chance(random, 0.8)) return mine;
  if (format === 'uuid') return uuid(random);
  if (format === 'email') return `${hex(random, 12)}@example.com`;
  if (format === 'date-time') return random.pick(times);
  if (format === 'uri') return 'https://example.com/hook';
  if (String(pattern).startsWith('^[0-9a-f]{64}')) return `${hex(random, 64)}.json`;
  if (pattern !== undefined) return String(example ?? 'en');
  const text = chance(random, 0.1) ? random.pick(niceTexts).repeat(500) : random.pick(niceTexts);
  return text.padEnd(minLength, 'x').slice(0, maxLength);
}

/** Texts that break what takes them for harmless. */
export const hostileTexts = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'x\udfff\ud800y',
  '\u{10ffff}\u{fffe}',
  '\u202egnp.exe',
  '\ufeff',
  '\r\nset-cookie: a=b',
  'null',
  'NaN',
  '-1',
  '1e999',
  '0x7f',
  '99999999999999999999',
  '1.5',
  '../../../etc/passwd',
  '__proto__',
  `'; drop table users; --`,
  '%00%ff%',
  '%',
  '\\',
  '{{7*7}}${7*7}',
  '0000-00-00T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '+275760-09-13T00:00:00.000Z',
  '-000001-01-01T00:00:00Z',
  'https://',
  'http://[::1',
  'file:///etc/passwd',
  'http://127.0.0.1:1/',
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  `${'f'.repeat(64)}.mp4`,
  Buffer.from('["9999-99-99T00:00:00.000000Z","x"]').toString('base64url'),
  Buffer.from('["2026-11-21T03:04:05.678901Z",null]').toString('base64url'),
  Buffer.from('{"at":1}').toString('base64url'),
  'é'.repeat(300),
  'x'.repeat(70_000),
  '𝕏'.repeat(20_000),
] as const;

/** As UTF-8 can hold it. */
export const wellFormed = (text: string): string => Buffer.from(text).toString();

const hostileValues = [
  null,
  true,
  false,
  0,
  -1,
  0.1,
  -0,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  new Spelled('1e400'),
  new Spelled('-1e400'),
  new Spelled('1e-400'),
  new Spelled('9'.repeat(400)),
  [],
  {},
  [null],
  [[]],
  { length: 1e9 },
  { toString: 1, valueOf: null },
  Array.from({ length: 2_000 }, () => 0),
] as const;

const hostileNames = [
  '__proto__',
  'constructor',
  'toString',
  '',
  'userId',
  'role',
  '\0',
  '\ud800',
  'x'.repeat(5_000),
] as const;

export function hostile(random: SeededRandom): unknown {
  return chance(random, 0.5) ? random.pick(hostileTexts) : random.pick(hostileValues);
}

/** The value with one thing wrong somewhere in it, at any depth. */
export function spoiled(value: unknown, random: SeededRandom): unknown {
  const paths = pathsIn(value);
  const path = paths[whole(random, 0, paths.length - 1)] ?? [];
  return changedAt(value, path, (there) => {
    const isObject = typeof there === 'object' && there !== null && !Array.isArray(there);
    switch (random.pick(['replace', 'replace', 'replace', 'leave out', 'add', 'wrap', 'repeat'])) {
      case 'leave out':
        return undefined;
      case 'add':
        return isObject ? withMember(there, random.pick(hostileNames), hostile(random)) : hostile(random);
      case 'wrap':
        return [there];
      case 'repeat':
        return Array.isArray(there)
          ? Array.from({ length: 300 }, () => there[0] as unknown)
          : hostile(random);
      default:
        return hostile(random);
    }
  });
}

/** As a member of its own, also where the name is `__proto__`. */
function withMember(value: object, name: string, member: unknown): object {
  return Object.fromEntries([...Object.entries(value), [name, member]]);
}

function pathsIn(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => pathsIn(member, [...path, name]))];
}

function changedAt(value: unknown, [name, ...rest]: string[], change: (value: unknown) => unknown): unknown {
  if (name === undefined) return change(value);
  const changed = Object.entries(value ?? {}).map(([key, member]): [string, unknown] => [
    key,
    key === name ? changedAt(member, rest, change) : member,
  ]);
  return Array.isArray(value) ? changed.map(([, member]) => member) : Object.fromEntries(changed);
}
