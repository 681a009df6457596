import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isCurrent, markCurrent } from '../../cli/setup/build-stamp.js';
import { installCommands } from '../../cli/setup/ensure-ffmpeg.js';
import { downloadAddress } from '../../cli/setup/ensure-temporal.js';
import { canPass, reachableFolder } from '../../cli/stack/postgres-identity.js';
import { claimStack, findRunningStack } from '../../cli/stack/stack-record.js';
import { temporalArguments } from '../../cli/stack/temporal.js';
import { findOnPath, findTool } from '../../cli/stack/tools.js';

const folder = await mkdtemp(join(tmpdir(), 'callsheet-setup-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a program is found', () => {
  const first = join(folder, 'first');
  const second = join(folder, 'second');

  test('on PATH in its order, and only when it can be run', async () => {
    await mkdir(first);
    await mkdir(second);
    await writeFile(join(first, 'tool'), 'not a program');
    await writeFile(join(second, 'tool'), '#!/bin/sh\n', { mode: 0o755 });
    expect(findOnPath('tool', `${first}:${second}`)).toBe(join(second, 'tool'));
    await chmod(join(first, 'tool'), 0o755);
    expect(findOnPath('tool', `${first}:${second}`)).toBe(join(first, 'tool'));
    expect(findOnPath('tool', '')).toBeUndefined();
    expect(findOnPath('first', folder)).toBeUndefined();
  });

  test('as configured before all else, without a silent second choice', () => {
    expect(findTool('tool', join(second, 'tool'), first)).toBe(join(second, 'tool'));
    expect(findTool('tool', join(folder, 'absent'), first)).toBeUndefined();
  });
});

describe('ffmpeg is installed', () => {
  const having =
    (...programs: string[]) =>
    (program: string) =>
      programs.includes(program);

  test('by apt-get as root, and through sudo otherwise', () => {
    expect(installCommands(having('apt-get'), true)).toEqual([
      ['apt-get', 'update'],
      ['apt-get', 'install', '--yes', '--no-install-recommends', 'ffmpeg'],
    ]);
    expect(installCommands(having('apt-get', 'sudo'), false)?.[0]).toEqual(['sudo', 'apt-get', 'update']);
  });

  test('not at all where that is not allowed or not known', () => {
    expect(installCommands(having('apt-get'), false)).toBeUndefined();
    expect(installCommands(having('yum'), true)).toBeUndefined();
  });
});

test('the Temporal CLI is downloaded for platforms that have one', () => {
  expect(downloadAddress('linux', 'x64')).toMatch(/v1\.5\.1\?platform=linux&arch=amd64$/);
  expect(downloadAddress('darwin', 'arm64')).toMatch(/platform=darwin&arch=arm64$/);
  expect(downloadAddress('linux', 's390x')).toBeUndefined();
  expect(downloadAddress('win32', 'x64')).toBeUndefined();
});

test('Temporal gets its file, its page and our search attributes', () => {
  const args = temporalArguments({ port: 7233, uiPort: 8233, databaseFile: '/data/t.db', namespaces: ['a'] });
  const line = args.join(' ');
  expect(line).toContain(
    'server start-dev --ip 127.0.0.1 --port 7233 --ui-port 8233 --db-filename /data/t.db',
  );
  expect(line).toContain('--namespace a');
  expect(line).toContain('--search-attribute CallsheetJobType=Keyword');
  expect(line).toContain('--dynamic-config-value matching.numTaskqueueReadPartitions=1');
  expect(line).toContain('--dynamic-config-value matching.numTaskqueueWritePartitions=1');
  expect(line).toContain('--dynamic-config-value matching.enableFairness=true');
  expect(temporalArguments({ port: 1 })).toContain('--headless');
});

describe('a build step', () => {
  test('is current until an input changes, comes or goes', async () => {
    const root = join(folder, 'build');
    await mkdir(join(root, 'src', 'deep'), { recursive: true });
    await writeFile(join(root, 'src', 'deep', 'a.ts'), 'a');
    const current = () => isCurrent('step', ['src', 'absent.json'], root);
    expect(await current()).toBe(false);
    await markCurrent('step', ['src', 'absent.json'], root);
    expect(await current()).toBe(true);

    await utimes(join(root, 'src', 'deep', 'a.ts'), 1, 1);
    expect(await current()).toBe(false);
    await markCurrent('step', ['src', 'absent.json'], root);
    await writeFile(join(root, 'absent.json'), '{}');
    expect(await current()).toBe(false);
    await markCurrent('step', ['src', 'absent.json'], root);
    await rm(join(root, 'src', 'deep', 'a.ts'));
    expect(await current()).toBe(false);
  });
});

describe('a folder for the database server', () => {
  const stranger = { uid: 54_321, gid: 54_321 };

  test('is the wanted one where its user may go', async () => {
    await chmod(folder, 0o755);
    const wanted = join(folder, 'open', 'postgres');
    expect(await canPass(wanted, stranger)).toBe(true);
    expect(await reachableFolder(wanted, stranger)).toBe(wanted);
    expect(await reachableFolder(wanted, undefined)).toBe(wanted);
  });

  test('lies elsewhere, always at the same place, below a closed folder', async () => {
    const closed = join(folder, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const wanted = join(closed, 'data', 'postgres');
    expect(await canPass(wanted, stranger)).toBe(false);
    const outside = await reachableFolder(wanted, stranger);
    expect(outside.startsWith(closed)).toBe(false);
    expect(await canPass(outside, stranger)).toBe(true);
    expect(await reachableFolder(wanted, stranger)).toBe(outside);
    await rm(outside, { recursive: true });
  });
});

describe('the record of a running stack', () => {
  test('belongs to one process and goes with it', async () => {
    const dataDir = join(folder, 'data');
    expect(findRunningStack(dataDir)).toBeUndefined();
    const claim = claimStack(dataDir);
    expect(findRunningStack(dataDir)?.addresses).toBeUndefined();
    const addresses = {
      api: 'http://127.0.0.1:8000',
      temporal: '127.0.0.1:7233',
      databaseUrl: 'postgres://x',
    };
    claim.publish(addresses);
    expect(findRunningStack(dataDir)).toMatchObject({ pid: process.pid, addresses });
    expect(() => claimStack(dataDir)).toThrow(/a stack runs already .* at http:\/\/127\.0\.0\.1:8000/);
    claim.release();
    expect(findRunningStack(dataDir)).toBeUndefined();

    // A dead owner, and an owner whose id is another process's by now.
    await writeFile(join(dataDir, 'stack.json'), '{"pid":4194303,"startedAtTick":"1"}');
    expect(findRunningStack(dataDir)).toBeUndefined();
    await writeFile(join(dataDir, 'stack.json'), `{"pid":${String(process.pid)},"startedAtTick":"1"}`);
    expect(findRunningStack(dataDir)).toBeUndefined();
    claimStack(dataDir).release();
  });
});
