import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { settingNames } from '../../config.js';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

describe('the README', () => {
  it('names every setting, and no setting that is not read', () => {
    const table = readme.slice(readme.indexOf('## Settings'), readme.indexOf('## On several hosts'));
    const firstColumn = [...table.matchAll(/^\| ([^|]*`[^|]*) \|/gm)]
      .map((match) => match[1] ?? '')
      .join(' ');
    const named = [...firstColumn.matchAll(/`([A-Z0-9_]+)`/g)].map((match) => match[1]);
    expect([...new Set(named)].sort()).toEqual([...settingNames].sort());
  });

  it('points at files that exist', () => {
    const paths = [...readme.matchAll(/`((?:[a-z-]+\/)+(?:[a-z-]+(?:\.as)?\.ts)?)`/g)].map(
      (match) => match[1],
    );
    expect(paths.length).toBeGreaterThan(10);
    for (const path of paths.filter((path) => !path?.startsWith('dist/'))) {
      expect(existsSync(fileURLToPath(new URL(path ?? '', root))), path).toBe(true);
    }
  });

  it('shows pictures that exist', () => {
    const pictures = [...readme.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map((match) => match[1] ?? '');
    for (const path of pictures) expect(existsSync(fileURLToPath(new URL(path, root))), path).toBe(true);
  });

  it('sets every variable of its commands before it uses it, so that they can be pasted in their order', () => {
    const commands = [...readme.matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1] ?? '').join('\n');
    const known = new Set<string>();
    let uses = 0;
    for (const line of commands.replaceAll('\\\n', ' ').split('\n')) {
      for (const [, name = ''] of line.matchAll(/\$([A-Z]+)\b/g)) {
        uses += 1;
        expect([line, known.has(name)]).toEqual([line, true]);
      }
      const set = /^([A-Z]+)=/.exec(line)?.[1];
      if (set !== undefined) known.add(set);
    }
    expect(uses).toBeGreaterThan(30);
  });

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const used = [...readme.matchAll(/npm (?:run )?(start|test|demo|bench|callsheet|[a-z:]+)\b/g)].map(
      (m) => m[1],
    );
    for (const name of used) expect(Object.keys(scripts)).toContain(name);
  });
});
