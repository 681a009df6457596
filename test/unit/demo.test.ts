import { describe, expect, test } from 'vitest';
import type { Job, JobStep } from '../../cli/demo/api-client.js';
import { parseDemoOptions } from '../../cli/demo/options.js';
import { createProgressView, stepLine } from '../../cli/demo/progress-view.js';
import { UsageError } from '../../cli/usage-error.js';

const step = (values: Partial<JobStep> = {}): JobStep => ({
  stepName: 'voices',
  status: 'in_progress',
  progress: 50,
  message: null,
  cached: false,
  ...values,
});
const job = (steps: JobStep[]): Job => ({
  id: 'x',
  status: 'in_progress',
  overallProgress: 40.4,
  steps,
  result: null,
  error: null,
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
  test('is a bar that fits the terminal', () => {
    expect(stepLine(step(), 8, 100)).toBe('▸ voices   ████████████░░░░░░░░░░░░  50 %');
    expect(stepLine(step({ status: 'completed', progress: 100, cached: true }), 6, 100)).toBe(
      '✓ voices ████████████████████████ 100 %  from the cache',
    );
    expect(Array.from(stepLine(step({ message: `😀\n${'long '.repeat(50)}` }), 6, 60))).toHaveLength(60);
    expect(stepLine(step({ message: 'two\nlines' }), 6, 99)).not.toContain('\n');
  });

  test('redraws in a terminal', () => {
    let text = '';
    const view = createProgressView({ isTTY: true, columns: 80, write: (more) => (text += more) });
    view.show(job([step()]));
    const before = text.length;
    view.show(job([step({ progress: 100, status: 'completed' })]));
    expect(text.slice(0, before)).toMatch(/▸ voices .* 50 %\n[^\n]*all +40 %\n$/);
    expect(text.slice(before).startsWith('\x1b[2A\r\x1b[2K✓ voices')).toBe(true);
  });

  test('is one plain line per change elsewhere', () => {
    let text = '';
    const view = createProgressView({ write: (more) => (text += more) });
    view.show(job([step({ status: 'pending' })]));
    view.show(job([step({ message: 'scene 1 of 3' })]));
    view.show(job([step({ progress: 70 })]));
    view.show(job([step({ status: 'completed', cached: true })]));
    expect(text).toBe('voices in progress: scene 1 of 3\nvoices completed (from the cache)\n');
  });
});
