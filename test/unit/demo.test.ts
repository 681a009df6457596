import { describe, expect, test } from 'vitest';
import type { Job, JobStep } from '../../cli/client/api-client.js';
import { parseDemoOptions } from '../../cli/demo/options.js';
import { createProgressView, stepLine } from '../../cli/client/progress-view.js';
import { UsageError } from '../../cli/usage-error.js';

const step = (values: Partial<JobStep> = {}): JobStep => ({
  stepName: 'voices',
  status: 'in_progress',
  progress: 50,
  message: null,
  cached: false,
  startedAt: '2026-01-01T00:00:00Z',
  completedAt: null,
  ...values,
});
const job = (steps: JobStep[]): Job => ({
  id: 'x',
  status: 'in_progress',
  overallProgress: 40.4,
  steps,
  result: null,
  error: null,
  credits: { quoted: 1, charged: 0 },
});

describe('options', () => {
  test('have defaults that show what there is', () => {
    expect(parseDemoOptions([])).toMatchObject({
      out: 'demo.mp4',
      video: {
        aspectRatio: '16:9',
        resolution: '1080p',
        theme: 'midnight',
        transition: 'fade',
        motion: 'kenburns',
        captions: { mode: 'burned' },
        music: { builtin: 'calm' },
      },
    });
  });

  test('reach the request', () => {
    const given = [
      '--source',
      'a.md',
      '--aspect',
      '9:16',
      '--out',
      'v.mp4',
      '--no-music',
      '--captions',
      'none',
    ];
    expect(parseDemoOptions([...given, '--speed', '1.2'])).toMatchObject({
      source: 'a.md',
      out: 'v.mp4',
      video: { aspectRatio: '9:16', music: null, captions: { mode: 'none' }, voice: { speed: 1.2 } },
    });
  });

  test.each([
    [['--aspect', '4:3'], /--aspect is one of 16:9, 9:16, 1:1, not "4:3"/],
    [['--theme', 'neon'], /--theme is one of/],
    [['--speed', 'fast'], /--speed is a number/],
    [['--source', 'a', '--prompt', 'b'], /exclude one another/],
    [['--colour', 'red'], /--colour/],
    [['article.md'], /article\.md/],
  ])('%j is refused with the usage', (args, message) => {
    expect(() => parseDemoOptions(args)).toThrow(message);
    expect(() => parseDemoOptions(args)).toThrow(UsageError);
  });
});

describe('progress', () => {
  const now = Date.parse('2026-01-01T00:01:05Z');

  test('is a bar with its time that fits the terminal', () => {
    expect(stepLine(step({ message: '4 of 8' }), 8, 100, now)).toBe(
      '▸ voices   ████████████░░░░░░░░░░░░  50 %   1:05  4 of 8',
    );
    const done = { status: 'completed', progress: 100, completedAt: '2026-01-01T00:00:09Z' } as const;
    expect(stepLine(step({ ...done, cached: true, message: '8 of 8' }), 6, 100, now)).toBe(
      '✓ voices ████████████████████████ 100 %   0:09  from the cache',
    );
    expect(stepLine(step({ status: 'pending', progress: 0, startedAt: null }), 6, 100, now)).toBe(
      '  voices ░░░░░░░░░░░░░░░░░░░░░░░░   0 %',
    );
    expect(Array.from(stepLine(step({ message: `😀\n${'long '.repeat(50)}` }), 6, 60, now))).toHaveLength(60);
    expect(stepLine(step({ message: 'two\nlines' }), 6, 99, now)).not.toContain('\n');
  });

  test('redraws in a terminal', () => {
    let text = '';
    const view = createProgressView({ isTTY: true, columns: 80, write: (more) => (text += more) }, () => now);
    view.show(job([step()]));
    const before = text.length;
    view.show(job([step({ progress: 100, status: 'completed' })]));
    expect(text.slice(0, before)).toMatch(/▸ voices .* 50 % {3}1:05\n[^\n]*all {4}█+░+ {2}40 % {3}0:00\n/);
    expect(text.slice(before).startsWith('\x1b[2A\r\x1b[2K✓ voices')).toBe(true);
  });

  test('tells below what has no room beside a bar', () => {
    let text = '';
    const view = createProgressView({ isTTY: true, columns: 80, write: (more) => (text += more) }, () => now);
    const message =
      'This is an outline made without a language model: set GEMINI_API_KEY to have a script written.';
    view.show(job([step({ message }), step({ stepName: 'scripts', message })]));
    const lines = text.split('\n').map((line) => line.replace('\r\x1b[2K', ''));
    expect(lines.slice(3, 5).join('').replaceAll(/ +/g, ' ').trim()).toBe(message);
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(line.length).toBeLessThan(80);
    view.show(job([step()]));
    // The notes are gone from the screen with what they belonged to.
    expect(text).toContain('\x1b[5A');
    expect(text.endsWith('\x1b[J')).toBe(true);
  });

  test('is one plain line per change elsewhere', () => {
    let text = '';
    const view = createProgressView({ write: (more) => (text += more) });
    view.show(job([step({ status: 'pending' })]));
    view.show(job([step({ message: 'scene 1 of 3' })]));
    view.show(job([step({ progress: 70 })]));
    view.show(job([step({ status: 'completed', cached: true })]));
    expect(text).toBe('voices in progress: scene 1 of 3\nvoices completed: from the cache\n');
  });
});
