import type { Job, JobStep } from './api-client.js';

export interface ProgressView {
  show(job: Job): void;
}

interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const barCells = 24;

/** A bar per step that is redrawn in a terminal; elsewhere, a line whenever a step changes. */
export function createProgressView(output: Output, now: () => number = Date.now): ProgressView {
  return output.isTTY === true ? terminalView(output, now) : plainView(output);
}

/** e.g. `▸ voices    ████████░░░░  66 %  0:12  4 of 7`, cut to `columns` characters. */
export function stepLine(step: JobStep, nameWidth: number, columns: number, nowMs: number): string {
  const time = elapsed(step, nowMs);
  const start = `${mark(step)} ${step.stepName.padEnd(nameWidth)} ${bar(step.progress)}${time.padStart(7)}  `;
  return cut(`${start}${noteOf(step)}`.trimEnd(), columns);
}

/** What a step says for itself, on one line. */
function noteOf(step: JobStep): string {
  if (step.cached && isCount(step.message)) return 'from the cache';
  return (step.message ?? '').replaceAll(/\s+/g, ' ');
}

const isCount = (message: string | null) => message === null || /^\d+ of \d+$/.test(message);

function bar(progress: number): string {
  const percent = Math.min(100, Math.max(0, progress));
  const filled = Math.round((percent / 100) * barCells);
  return `${'█'.repeat(filled)}${'░'.repeat(barCells - filled)} ${String(Math.round(percent)).padStart(3)} %`;
}

/** Minutes and seconds since the step began, or that it took. */
function elapsed({ startedAt, completedAt }: JobStep, nowMs: number): string {
  if (startedAt === null) return '';
  return clock((completedAt === null ? nowMs : Date.parse(completedAt)) - Date.parse(startedAt));
}

function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}`;
}

function cut(line: string, columns: number): string {
  const characters = Array.from(line);
  return characters.length <= columns ? line : `${characters.slice(0, columns - 1).join('')}…`;
}

function mark(step: JobStep): string {
  switch (step.status) {
    case 'completed':
      return '✓';
    case 'failed':
      return '✗';
    case 'cancelled':
    case 'skipped':
      return '–';
    case 'in_progress':
      return '▸';
    case 'pending':
      return ' ';
  }
}

function terminalView(output: Output, now: () => number): ProgressView {
  const startedAt = now();
  let drawnLines = 0;
  return {
    show(job) {
      const columns = Math.max(20, (output.columns ?? 80) - 1);
      const width = nameWidth(job);
      const whole = `  ${'all'.padEnd(width)} ${bar(job.overallProgress)}${clock(now() - startedAt).padStart(7)}`;
      const lines = [
        ...job.steps.map((step) => stepLine(step, width, columns, now())),
        cut(whole, columns),
        ...longNotes(job, width, columns, now()),
      ];
      // Up to the first line, then each line anew; what is longer than before is erased to its end.
      const up = drawnLines > 0 ? `\x1b[${String(drawnLines)}A` : '';
      output.write(`${up}${lines.map((line) => `\r\x1b[2K${line}\n`).join('')}\x1b[J`);
      drawnLines = lines.length;
    },
  };
}

/** What had no room beside its bar, in full below, each once. */
function longNotes(job: Job, width: number, columns: number, nowMs: number): string[] {
  const cutOff = job.steps.filter((step) => stepLine(step, width, columns, nowMs).endsWith('…'));
  return [...new Set(cutOff.map(noteOf))].flatMap((note) => wrapped(note, columns - 2));
}

function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(cut(`  ${word}`, columns));
  }
  return lines;
}

function plainView(output: Output): ProgressView {
  const shown = new Map<string, string>();
  return {
    show(job) {
      for (const step of job.steps) {
        if (step.status === 'pending' || shown.get(step.stepName) === step.status) continue;
        shown.set(step.stepName, step.status);
        const note = noteOf(step);
        output.write(`${step.stepName} ${step.status.replace('_', ' ')}${note === '' ? '' : `: ${note}`}\n`);
      }
    },
  };
}

const nameWidth = (job: Job): number => Math.max(3, ...job.steps.map((step) => step.stepName.length));
