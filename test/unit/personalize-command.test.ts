import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import yazl from 'yazl';
import type { Recipient } from '../../cli/client/api-client.js';
import { personalizeForm } from '../../cli/personalize/form.js';
import { parsePersonalizeOptions } from '../../cli/personalize/options.js';
import { outcomeTable } from '../../cli/personalize/outcome-table.js';
import { runPersonalize } from '../../cli/personalize/run-personalize.js';
import { isPlainName, unpackArchive } from '../../cli/personalize/unpack-archive.js';
import { UsageError } from '../../cli/usage-error.js';
import { readConfig } from '../../config.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'personalize-command-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const needed = ['--video', 'b.mp4', '--recipients', 'l.csv', '--outdir', 'out'];

describe('options', () => {
  test('leave to the API what is not given', () => {
    expect(parsePersonalizeOptions(needed)).toEqual({
      ...{ video: 'b.mp4', recipients: 'l.csv', outdir: 'out', dryRun: false, force: false },
      ...{ voiceSample: undefined, transcriptFile: undefined, url: undefined, fields: {} },
    });
  });

  test('become fields of the form', () => {
    const given = [
      ...['--mode', 'platinum', '--text', 'Dear {name}', '--voice', 'espeak', '--lip-sync', 'viseme'],
      ...['--lip-sync-fallback', '--language', 'de', '--limit', '1', '--fit', '--voice-id', 'en-us+f2'],
      ...['--placeholder', '0.6-1.1={name}', '--placeholder', '2-2.5', '--placeholder', '3-4=a=b'],
    ];
    const { fields } = parsePersonalizeOptions([...needed, ...given]);
    const { placeholders, ...others } = fields;
    expect(others).toEqual({
      ...{ insertMode: 'platinum', text: 'Dear {name}', ttsProvider: 'espeak', lipSyncProvider: 'viseme' },
      ...{ lipSyncFallback: 'true', lang: 'de', limit: '1', diamondNaturalName: 'false' },
      voiceId: 'en-us+f2',
    });
    expect(JSON.parse(placeholders ?? '')).toEqual([
      { startSeconds: 0.6, endSeconds: 1.1, text: '{name}' },
      { startSeconds: 2, endSeconds: 2.5 },
      { startSeconds: 3, endSeconds: 4, text: 'a=b' },
    ]);
    const { fields: padded } = parsePersonalizeOptions([...needed, '--pads', '0,20,0,05']);
    expect(padded).toEqual({ pads: '[0,20,0,5]' });
    const remote = parsePersonalizeOptions([...needed, '--url', 'https://a.example/api/v1/']);
    expect(remote.url).toBe('https://a.example');
  });

  test.each([
    [['--recipients', 'l.csv', '--outdir', 'o'], /^--video names the base video$/],
    [['--video', 'b.mp4', '--outdir', 'o'], /^--recipients names/],
    [['--video', 'b.mp4', '--recipients', 'l.csv'], /^--outdir names/],
    [[...needed, '--mode', 'bronze'], /^--mode is one of silver, gold, diamond, platinum, not "bronze"$/],
    [[...needed, '--voice', 'hal'], /^--voice is one of/],
    [[...needed, '--limit', '0'], /^--limit is a whole number/],
    [[...needed, '--limit', '1e3'], /^--limit is a whole number/],
    [[...needed, '--pads', '1,2,3'], /^--pads is four numbers/],
    [[...needed, '--pads', '0 20 0 0'], /^--pads is four numbers/],
    [[...needed, '--placeholder', '1.1-0.6=x'], /^--placeholder is START-END=TEXT/],
    [[...needed, '--placeholder', 'x'], /^--placeholder is START-END=TEXT/],
    [[...needed, '--placeholder', '0-1', '--transcript', 'a [b]'], /exclude one another/],
    [[...needed, '--transcript-file', 'f', '--transcript', 'a [b]'], /exclude one another/],
    [[...needed, '--url', 'ftp://x'], /^--url is the address/],
    [[...needed, '--url', 'https://me:secret@x'], /^--url is the address/],
    [[...needed, '--colour', 'red'], /--colour/],
    [['list.csv'], /list\.csv/],
  ])('%j is refused in a sentence', (args, message) => {
    expect(() => parsePersonalizeOptions(args)).toThrow(UsageError);
    expect(() => parsePersonalizeOptions(args)).toThrow(message);
  });

  test.each([
    ['--token', 'CALLSHEET_TOKEN'],
    ['--elevenlabs-key', 'ELEVENLABS_API_KEY'],
  ])('%s is refused without a word of it', (option, setting) => {
    const parse = () => parsePersonalizeOptions([...needed, option, 'hush-hush']);
    expect(parse).toThrow(setting);
    expect(parse).not.toThrow(/hush/);
  });
});

describe('before anything is sent', () => {
  const files = async () => {
    await writeFile(join(dir, 'b.mp4'), 'video');
    await writeFile(join(dir, 'l.csv'), 'name\nAda\n');
    return ['--video', join(dir, 'b.mp4'), '--recipients', join(dir, 'l.csv')];
  };
  const config = readConfig({});

  test('the form has fields and files', async () => {
    await writeFile(join(dir, 't.txt'), '\ufeffHello [friend].\n');
    const given = [...(await files()), '--outdir', 'o', '--transcript-file', join(dir, 't.txt')];
    const form = await personalizeForm(parsePersonalizeOptions([...given, '--mode', 'gold']));
    const text = async (name: string) => {
      const part = form.get(name);
      return part instanceof File ? [part.name, await part.text()] : part;
    };
    expect([...form.keys()].sort()).toEqual(['baseVideo', 'insertMode', 'recipients', 'transcript']);
    expect(await text('baseVideo')).toEqual(['b.mp4', 'video']);
    expect(await text('recipients')).toEqual(['l.csv', 'name\nAda\n']);
    expect([form.get('insertMode'), form.get('transcript')]).toEqual(['gold', 'Hello [friend].']);
  });

  test('files and folders are looked at', async () => {
    const given = await files();
    const refused = async (args: string[]) => {
      const error: unknown = await runPersonalize(args, config).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UsageError);
      return error instanceof Error ? error.message : '';
    };
    expect(await refused([...given.slice(0, 3), join(dir, 'none.csv'), '--outdir', 'o'])).toMatch(
      /^--recipients \S+ is not there$/,
    );
    expect(await refused([...given, '--outdir', dir])).toMatch(/has files already; --force/);
    expect(await refused([...given, '--outdir', join(dir, 'l.csv')])).toMatch(/is no folder$/);
    expect(await refused([...given, '--outdir', join(dir, 'o'), '--url', 'http://127.0.0.1:1'])).toMatch(
      /^set CALLSHEET_TOKEN/,
    );
  });
});

describe('the archive', () => {
  async function archiveOf(files: Record<string, string>): Promise<string> {
    const zip = new yazl.ZipFile();
    for (const [name, text] of Object.entries(files)) {
      zip.addBuffer(Buffer.from(text), name, { compress: false });
    }
    zip.end();
    const path = join(dir, 'videos.zip');
    await pipeline(zip.outputStream, createWriteStream(path));
    return path;
  }
  const out = async () => {
    const folder = join(dir, 'out');
    await mkdir(folder);
    return folder;
  };

  test('becomes files', async () => {
    const folder = await out();
    const archive = await archiveOf({ 'report.csv': 'row\r\n', '0002-zoë-李.mp4': 'video' });
    expect(await unpackArchive(archive, folder, { force: false })).toEqual({
      ...{ names: ['report.csv', '0002-zoë-李.mp4'], bytes: 10 },
    });
    expect((await readdir(folder)).sort()).toEqual(['0002-zoë-李.mp4', 'report.csv']);
    expect(await readFile(join(folder, '0002-zoë-李.mp4'), 'utf8')).toBe('video');
  });

  test('replaces nothing that is there, and then writes nothing else either', async () => {
    const folder = await out();
    await writeFile(join(folder, 'b.mp4'), 'mine');
    const archive = await archiveOf({ 'a.mp4': 'new', 'b.mp4': 'new' });
    await expect(unpackArchive(archive, folder, { force: false })).rejects.toThrow('is there already');
    expect(await readdir(folder)).toEqual(['b.mp4']);
    await unpackArchive(archive, folder, { force: true });
    expect(await readFile(join(folder, 'b.mp4'), 'utf8')).toBe('new');
  });

  test.each([
    'sub/a.mp4',
    '.bashrc',
    'ab:c.mp4',
    'con\u0007.mp4',
    'a\u202egnp.mp4',
    'a.mp4.',
    'x'.repeat(241),
  ])('with the name %j is left packed', async (name) => {
    expect(isPlainName(name)).toBe(false);
    const folder = await out();
    const archive = await archiveOf({ 'a.mp4': 'good', [name]: 'bad' });
    await expect(unpackArchive(archive, folder, { force: true })).rejects.toThrow('unsafe name');
    expect(await readdir(folder)).toEqual([]);
  });

  test('that climbs out of its folder is not read at all', async () => {
    const folder = await out();
    const archive = await archiveOf({ 'aa/evil.mp4': 'bad' });
    const bytes = await readFile(archive);
    await writeFile(
      archive,
      Buffer.from(bytes.toString('latin1').replaceAll('aa/evil', '../evil'), 'latin1'),
    );
    await expect(unpackArchive(archive, folder, { force: true })).rejects.toThrow();
    expect(await readdir(dir)).not.toContain('evil.mp4');
  });
});

describe('the closing table', () => {
  const recipient = (values: Partial<Recipient>): Recipient => ({
    ...{ row: 2, name: 'Ada', status: 'completed', message: null, error: null },
    file: { name: '0002-ada.mp4' },
    ...values,
  });

  test('tells what became of each and why', () => {
    const error = { code: 'words_too_long', detail: 'The words take 9.0 s.' };
    const table = outcomeTable([
      recipient({}),
      recipient({ row: 13, name: `Zoë\u0007${'x'.repeat(40)}`, status: 'failed', file: null, error }),
      recipient({ row: 14, name: '李', message: 'no face was found' }),
    ]);
    expect(table.split('\n')).toEqual([
      'row  name                            status',
      '2    Ada                             delivered  0002-ada.mp4',
      `13   Zoë ${'x'.repeat(25)}…  failed     words_too_long: The words take 9.0 s.`,
      '14   李                               delivered  0002-ada.mp4, no face was found',
    ]);
  });

  test('is no longer than a screen or two', () => {
    const many = Array.from({ length: 77 }, (_value, row) => recipient({ row }));
    expect(outcomeTable(many).split('\n')).toHaveLength(52);
    expect(outcomeTable(many)).toMatch(/\nand 27 more$/);
  });
});
