import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { probe } from '../../activities/media/ffmpeg/run.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import { builtProgram } from '../support/built-program.js';
import { claimStack } from '../../cli/stack/stack-record.js';
import { inheritedEnvironment } from '../../config.js';
import { makeTalkingBase } from '../support/talking-base.js';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';

const voice = createEspeakVoice();
const transcript =
  'Hello [friend], and welcome to our wonderful city. We are very glad to see you here today.';
const tooLong = 'Zoë, of the very long and winding name that nobody can say in time';

let stack: E2eStack;
/** Where the command is typed. */
let folder: string;

beforeAll(async () => {
  stack = await startE2eStack({ env: { SIGNUP_CREDITS: '1' } });
  folder = join(stack.dataDir, 'typed-here');
  await mkdir(folder);
  const text = transcript.replace(/[[\]]/g, '');
  await makeTalkingBase(folder, { voice, text });
  await writeFile(join(folder, 'two.csv'), 'name\nAda\nMaximilian\n');
  await writeFile(join(folder, 'mixed.csv'), `name\nAda\n"${tooLong}"\n`);
});
afterAll(async () => {
  voice.close();
  await stack.stop();
});

/** As a user does: a process of its own, in a folder of the user's. */
async function callsheet(args: string[], env: Record<string, string>) {
  const { command, args: program } = builtProgram('cli/main');
  const child = spawn(command, [...program, 'personalize', ...args], {
    env: inheritedEnvironment({ ...stack.env, INIT_CWD: folder, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (more: Buffer) => (printed.out += more.toString('utf8')));
  child.stderr.on('data', (more: Buffer) => (printed.err += more.toString('utf8')));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, ...printed };
}

const gold = ['--video', 'base.mp4', '--mode', 'gold', '--transcript', transcript];

describe('at an API elsewhere', () => {
  let token: Record<string, string>;
  beforeAll(async () => {
    const made = await stack.client.call('/users/me/api-keys', { method: 'POST', body: { name: 'cli' } });
    token = { CALLSHEET_TOKEN: made.json.key };
  });
  const there = () => ['--url', stack.address];

  it('checks and quotes, and tells which rows are wrong', async () => {
    const quote = await callsheet([...gold, '--recipients', 'two.csv', '--dry-run', ...there()], token);
    expect(quote).toEqual({
      code: 0,
      out: '2 recipients, all in order; columns: name\n2 credits of 1 would be spent\n',
      err: '',
    });
    await writeFile(join(folder, 'bad.csv'), 'name\nAda\n"a\nb"\n');
    const refused = await callsheet([...gold, '--recipients', 'bad.csv', '--dry-run', ...there()], token);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/\n {2}recipients\.row 3\.name: has line breaks/);
    const unpaid = await callsheet(
      [...gold, '--recipients', 'two.csv', '--outdir', 'unpaid', ...there()],
      token,
    );
    expect([unpaid.code, unpaid.err]).toEqual([1, expect.stringMatching(/credit/)]);
    expect((await stack.client.call('/jobs')).json.items).toEqual([]);
    const stranger = await callsheet([...gold, '--recipients', 'two.csv', '--dry-run', ...there()], {
      CALLSHEET_TOKEN: 'cs_nobody',
    });
    expect(stranger.code).toBe(1);
    expect(stranger.err).not.toContain('cs_nobody');
  });

  it('makes a preview of the first', async () => {
    const args = [...gold, '--recipients', 'two.csv', '--outdir', 'preview', '--limit', '1', ...there()];
    const { code, out, err } = await callsheet(args, token);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/preparation completed[^]*recipients completed: 1 of 1\npackaging completed/);
    expect(out).toMatch(/\n2 +Ada +delivered +0002-ada\.mp4\n1 delivered, 1 credit spent; \d+\.\d MB in /);
    expect((await readdir(join(folder, 'preview'))).sort()).toEqual(['0002-ada.mp4', 'report.csv']);
  });
});

describe('on the stack that runs here', () => {
  it('makes a file for each of two, pays for them, and overwrites nothing', async () => {
    const { env, address } = stack;
    const claim = claimStack(stack.dataDir);
    claim.publish({
      ...{ api: address, databaseUrl: env['DATABASE_URL'] ?? '', temporal: env['TEMPORAL_ADDRESS'] ?? '' },
    });
    try {
      const args = [...gold, '--recipients', 'two.csv', '--outdir', 'out'];
      const { code, out, err } = await callsheet(args, {});
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain(`using the stack that runs at ${address}\n`);
      expect(out).toContain('2 delivered, 2 credits spent');
      const files = ['0002-ada.mp4', '0003-maximilian.mp4', 'report.csv'];
      expect((await readdir(join(folder, 'out'))).sort()).toEqual(files);
      const tools = { ffmpegPath: inject('ffmpegPath'), ffprobePath: inject('ffprobePath') };
      const base = await probe(tools, join(folder, 'base.mp4'));
      for (const file of files.slice(0, 2)) {
        const { streams } = await probe(tools, join(folder, 'out', file));
        expect(streams.map(({ kind, packets }) => [kind, packets])).toEqual(
          base.streams.map(({ kind, packets }) => [kind, packets]),
        );
      }
      expect(await readFile(join(folder, 'out', 'report.csv'), 'utf8')).toBe(
        '\ufeffrow,name,file,status,error\r\n2,Ada,0002-ada.mp4,delivered,\r\n3,Maximilian,0003-maximilian.mp4,delivered,\r\n',
      );

      const again = await callsheet(args, {});
      expect(again).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringMatching(/has files already; --force/),
      });

      const mixed = await callsheet([...gold, '--recipients', 'mixed.csv', '--outdir', 'out', '--force'], {});
      expect([mixed.code, mixed.err]).toEqual([1, '']);
      expect(mixed.out).toMatch(
        /\n3 +Zoë, of the very long and win… +failed +words_too_long: The words take/,
      );
      expect(mixed.out).toContain('1 delivered, 1 failed, 1 credit spent');
    } finally {
      claim.release();
    }
    await expectInvariants(stack);
  });
});
