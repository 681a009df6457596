import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import yazl from 'yazl';
import { readRecipients } from '../../api/recipients/read-recipients.js';
import { RecipientsRefusedError } from '../../api/recipients/recipient-rows.js';
import { measured } from '../support/measured.js';

const utf8 = (text: string) => Buffer.from(text, 'utf8');
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();

async function problemsOf(bytes: Uint8Array, nameColumn?: string) {
  const error: unknown = await readRecipients(bytes, nameColumn).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RecipientsRefusedError)) throw new Error('it was not refused', { cause: error });
  return error.problems;
}

describe('CSV', () => {
  test.each([
    ['comma', 'Name,City\nAda,London\n"Grace, Admiral",New York\n'],
    ['semicolon', 'Name;City\r\nAda;London\r\n"Grace, Admiral";New York\r\n'],
    ['tab', 'Name\tCity\nAda\tLondon\nGrace, Admiral\tNew York'],
    ['bar', 'Name|City\nAda|London\nGrace, Admiral|New York'],
  ])('with a %s between cells', async (_, text) => {
    const expected = {
      columns: ['Name', 'City'],
      recipients: [
        { row: 2, name: 'Ada', fields: { Name: 'Ada', City: 'London' } },
        { row: 3, name: 'Grace, Admiral', fields: { Name: 'Grace, Admiral', City: 'New York' } },
      ],
    };
    for (const bytes of [
      utf8(text),
      utf8(`\ufeff${text}`),
      Buffer.from(text, 'utf16le'),
      Buffer.from(`\ufeff${text}`, 'utf16le'),
      utf16be(text),
      utf16be(`\ufeff${text}`),
    ]) {
      expect(await readRecipients(bytes)).toEqual(expected);
    }
  });

  test('one column of names in any script needs no delimiter', async () => {
    const names = ['Ada', 'आदित्य', 'مريم', '小林', 'Zoë', 'İpek'];
    const { recipients } = await readRecipients(utf8(`name\n${names.join('\n')}\n`));
    expect(recipients.map(({ name }) => name)).toEqual(names);
  });

  test('empty rows are passed over and the others keep their numbers', async () => {
    const { recipients } = await readRecipients(utf8('name\n\nAda\n\n\nGrace\n'));
    expect(recipients.map(({ row }) => row)).toEqual([3, 6]);
  });

  test('cells that a spreadsheet would take for formulas are kept as they are', async () => {
    const { recipients } = await readRecipients(utf8('name,note\nAda,=1+1\nBo,@x\nCy,-2\nDi,+3\n'));
    expect(recipients.map(({ fields }) => fields['note'])).toEqual(['=1+1', '@x', '-2', '+3']);
  });

  test('the column of names can be another one', async () => {
    const { recipients } = await readRecipients(utf8('id;Vorname\n1;Ada\n'), ' vorname ');
    expect(recipients).toEqual([{ row: 2, name: 'Ada', fields: { id: '1', Vorname: 'Ada', name: 'Ada' } }]);
    expect(await problemsOf(utf8('id;Vorname\n1;Ada\n'))).toMatchObject([
      { row: null, message: 'there is no column "name"; the header has: id, Vorname' },
    ]);
  });

  test('every bad row is named', async () => {
    const long = 'a'.repeat(4_096);
    const text = `name,city\nAda,x\n,y\n${long},x\n"a\r\nb",x\n???,x\nBo,x,extra\n`;
    expect(await problemsOf(utf8(text))).toEqual([
      { row: 3, column: 'name', message: 'is empty' },
      { row: 4, column: 'name', message: 'is longer than 2000 characters' },
      { row: 4, column: 'name', message: 'is longer than 200 characters' },
      { row: 5, column: 'name', message: 'has line breaks or control characters' },
      { row: 6, column: 'name', message: 'has nothing that can be said' },
      { row: 7, column: null, message: 'has more cells than the header has columns' },
    ]);
  });

  test('of very many bad rows the first hundred are named and the rest counted', async () => {
    const problems = await problemsOf(utf8(`name,a\n${',x\n'.repeat(250)}`));
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)?.message).toBe('and 150 more problems');
  });

  test.each([
    ['nothing at all', '', 'the file is empty'],
    ['a header alone', 'name\n', 'there are no rows below the header'],
    ['two columns of one name', 'name,Name\nAda,x\n', 'two columns have this name'],
    [
      'a header that objects have of their own',
      'name,__proto__\nAda,x\n',
      'a column must not have this name',
    ],
    ['an open quote', 'name\n"Ada\n', 'the CSV cannot be read: a quote is not closed'],
    ['NUL', 'name,c\nAda,x\nB\0o,y\n', 'the text contains NUL characters'],
    ['one endless line', `name\n${'a'.repeat(5_000_000)}`, 'the CSV cannot be read: a row is far too long'],
    ['too many rows', `name\n${'Ada\n'.repeat(10_001)}`, 'there are more than 10000 recipients'],
    ['far too many rows', `name\n${'Ada\n'.repeat(1_000_000)}`, 'there are more than 10000 recipients'],
    ['too many columns', `name${',a'.repeat(200)}\n`, 'row 1 has more than 100 columns'],
  ])('%s is refused', async (_, text, message) => {
    expect((await problemsOf(utf8(text)))[0]?.message).toBe(message);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  test('bytes that are no text are refused', async () => {
    const [problem] = await problemsOf(Buffer.from('name\nJos\xe9\n', 'latin1'));
    expect(problem?.message).toContain('neither UTF-8 nor UTF-16');
  });

  test('ten thousand recipients are read', async () => {
    const rows = Array.from({ length: 10_000 }, (_, index) => `Person ${index},Town`).join('\n');
    const { recipients } = await readRecipients(utf8(`name,city\n${rows}`));
    expect(recipients).toHaveLength(10_000);
    expect(recipients.at(-1)).toEqual({
      row: 10_001,
      name: 'Person 9999',
      fields: { name: 'Person 9999', city: 'Town' },
    });
  });

  test('a table of the largest kind does not keep other work waiting', async () => {
    const header = ['name', ...Array.from({ length: 99 }, (_, index) => `Column ${index}`)].join(',');
    const row = ['Ada', ...Array.from({ length: 99 }, (_, index) => `value ${index}`)].join(',');
    const bytes = utf8(`${header}\n${`${row}\n`.repeat(10_000)}`);
    const { result, longestWaitMs } = await measured(() => readRecipients(bytes));
    expect(result.recipients).toHaveLength(10_000);
    expect(longestWaitMs).toBeLessThan(1_000);
  });
});

describe('XLSX', () => {
  let bomb: Promise<Buffer> | undefined;

  test('text, numbers as they are written, and dates', async () => {
    const sheet = `<row r="1">${text('A1', 'Name')}${text('B1', 'Postcode')}${text('C1', 'City')}</row>
      <row r="2">${text('A2', 'Zoë &amp; Co')}<c r="B2"><v>01234</v></c>${text('C2', 'Łódź')}</row>
      <row r="4">${text('A4', 'मीरा')}<c r="B4" t="b"><v>1</v></c></row>`;
    expect(await readRecipients(await workbook(sheet))).toEqual({
      columns: ['Name', 'Postcode', 'City'],
      recipients: [
        { row: 2, name: 'Zoë & Co', fields: { Name: 'Zoë & Co', Postcode: '01234', City: 'Łódź' } },
        { row: 4, name: 'मीरा', fields: { Name: 'मीरा', Postcode: 'true', City: '' } },
      ],
    });
  });

  test('bad rows are named as in CSV', async () => {
    const sheet = `<row r="1">${text('A1', 'name')}${text('B1', 'x')}</row><row r="2">${text('B2', 'y')}</row>`;
    expect(await problemsOf(await workbook(sheet))).toEqual([
      { row: 2, column: 'name', message: 'is empty' },
    ]);
  });

  test.each([
    ['says how large it is', undefined, 'unpacks to far more'],
    ['says that it is small', 100, 'is not a whole XLSX workbook'],
    ['says that it is as large as may be', 15 * 1024 ** 2, 'is not a whole XLSX workbook'],
  ])('a bomb that %s is refused and costs little', async (_, claimedBytes, message) => {
    bomb ??= workbook(Buffer.alloc(200 * 1024 ** 2, ' '));
    const bytes = Buffer.from(await bomb);
    expect(bytes.length).toBeLessThan(1024 ** 2);
    if (claimedBytes !== undefined) claimSize(bytes, 'xl/worksheets/sheet1.xml', claimedBytes);
    const { result: problems, growth, ms } = await measured(() => problemsOf(bytes));
    expect(problems[0]?.message).toContain(message);
    expect(growth).toBeLessThan(150e6);
    expect(ms).toBeLessThan(5_000);
  });

  test('a row with a huge number costs little and is refused', async () => {
    const sheet = `<row r="1">${text('A1', 'name')}</row><row r="999999999">${text('A999999999', 'Ada')}</row>`;
    const bytes = await workbook(sheet);
    const { result: problems, growth, ms } = await measured(() => problemsOf(bytes));
    expect(problems[0]).toMatchObject({ row: null });
    expect(growth).toBeLessThan(150e6);
    expect(ms).toBeLessThan(5_000);
  }, 30_000);

  test('one long text that stands in very many cells is not copied for each of them', async () => {
    const cell = (column: string, row: number) => `<c r="${column}${row}" t="s"><v>0</v></c>`;
    const columns = [...'BCDEFGHIJK'];
    const rows = Array.from({ length: 9_000 }, (_, index) => {
      const number = index + 2;
      return `<row r="${number}">${text(`A${number}`, 'Ada')}${columns.map((column) => cell(column, number)).join('')}</row>`;
    });
    const header = ['A', ...columns].map((column) => text(`${column}1`, column === 'A' ? 'name' : column));
    const shared = utf8(`<sst><si><t>${'x'.repeat(1_000_000)}</t></si></sst>`);
    const bytes = await workbook(`<row r="1">${header.join('')}</row>${rows.join('')}`, { shared });
    const { result: problems, growth, ms } = await measured(() => problemsOf(bytes));
    expect(problems[0]?.message).toContain('the sheet has far more text');
    expect(growth).toBeLessThan(150e6);
    expect(ms).toBeLessThan(5_000);
  });

  test('nothing outside is read', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'canary-'));
    const canary = join(dir, 'canary.txt');
    writeFileSync(canary, 'canary-was-read');
    try {
      const sheet = `<row r="1">${text('A1', 'name')}</row><row r="2">${text('A2', '&leak;')}</row>`;
      const bytes = await workbook(sheet, {
        prologue: `<!DOCTYPE worksheet [<!ENTITY leak SYSTEM "file://${canary}">]>`,
      });
      const outcome = await readRecipients(bytes).catch((error: unknown) => error);
      expect(JSON.stringify(outcome)).not.toContain('canary-was-read');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('an archive that is no workbook, or half of one, is refused', async () => {
    const whole = await workbook(`<row r="1">${text('A1', 'name')}</row>`);
    for (const bytes of [whole.subarray(0, whole.length - 30), await zip({ 'a.txt': utf8('a') })]) {
      expect((await problemsOf(bytes))[0]?.row).toBeNull();
    }
  });
});

/** Lets both of an archive's headers say that an entry has another size. Source: APPNOTE.TXT, 4.3.7 and 4.3.12. */
function claimSize(archive: Buffer, name: string, bytes: number): void {
  const headers = [
    { signature: 'PK\x01\x02', size: 24, name: 46 },
    { signature: 'PK\x03\x04', size: 22, name: 30 },
  ];
  for (const header of headers) {
    archive.writeUInt32LE(bytes, headerOf(archive, header, name) + header.size);
  }
}

function headerOf(archive: Buffer, header: { signature: string; name: number }, name: string): number {
  let at = archive.indexOf(header.signature, 0, 'latin1');
  while (at >= 0 && archive.toString('latin1', at + header.name, at + header.name + name.length) !== name) {
    at = archive.indexOf(header.signature, at + 4, 'latin1');
  }
  return at;
}

const text = (cell: string, value: string) => `<c r="${cell}" t="inlineStr"><is><t>${value}</t></is></c>`;

/** The fewest parts that make a workbook. */
function workbook(
  rows: string | Buffer,
  { prologue = '', shared }: { prologue?: string; shared?: Buffer } = {},
): Promise<Buffer> {
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const packages = 'http://schemas.openxmlformats.org/package/2006';
  const open = `<?xml version="1.0"?>${prologue}<worksheet xmlns="${main}"><sheetData>`;
  const sheet = Buffer.concat([utf8(open), Buffer.from(rows), utf8('</sheetData></worksheet>')]);
  return zip({
    '[Content_Types].xml': utf8(`<Types xmlns="${packages}/content-types"></Types>`),
    'xl/workbook.xml': utf8(
      `<workbook xmlns="${main}" xmlns:r="${relations}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`,
    ),
    'xl/_rels/workbook.xml.rels': utf8(
      `<Relationships xmlns="${packages}/relationships"><Relationship Id="r1" Type="${relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    ),
    'xl/styles.xml': utf8(`<styleSheet xmlns="${main}"/>`),
    'xl/worksheets/sheet1.xml': sheet,
    ...(shared === undefined ? {} : { 'xl/sharedStrings.xml': shared }),
  });
}

async function zip(files: Record<string, Buffer>): Promise<Buffer> {
  const archive = new yazl.ZipFile();
  for (const [name, bytes] of Object.entries(files)) archive.addBuffer(bytes, name);
  archive.end();
  const chunks: Buffer[] = [];
  for await (const chunk of archive.outputStream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
