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
export function createProgressView(output: Output): ProgressView {
  return output.isTTY === true ? terminalView(output) : plainView(output);
}

/** e.g. `voices      ████████░░░░  66 %  speaking scene 4`, cut to `columns` characters. */
export function stepLine(step: JobStep, nameWidth: number, columns: number): string {
  const filled = Math.round((Math.min(100, Math.max(0, step.progress)) / 100) * barCells);
  const bar = '█'.repeat(filled) + '░'.repeat(barCells - filled);
  const note = step.cached ? 'from the cache' : (step.message ?? '');
  const percent = `${String(Math.round(step.progress)).padStart(3)} %`;
  const line = `${mark(step)} ${step.stepName.padEnd(nameWidth)} ${bar} ${percent}  ${note}`;
  return Array.from(line.trimEnd().replaceAll(/\s+/g, (space) => (space.includes('\n') ? ' ' : space)))
    .slice(0, columns)
    .join('');
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

function terminalView(output: Output): ProgressView {
  let drawnLines = 0;
  return {
    show(job) {
      const columns = Math.max(20, (output.columns ?? 80) - 1);
      const width = nameWidth(job);
      const lines = [
        ...job.steps.map((step) => stepLine(step, width, columns)),
        `  ${'all'.padEnd(width)} ${String(Math.round(job.overallProgress))} %`,
      ];
      // Up to the first line, then each line anew; what is longer than before is erased to its end.
      const up = drawnLines > 0 ? `\x1b[${String(drawnLines)}A` : '';
      output.write(`${up}${lines.map((line) => `\r\x1b[2K${line}\n`).join('')}`);
      drawnLines = lines.length;
    },
  };
}

function plainView(output: Output): ProgressView {
  const shown = new Map<string, string>();
  return {
    show(job) {
      for (const step of job.steps) {
        if (step.status === 'pending' || shown.get(step.stepName) === step.status) continue;
        shown.set(step.stepName, step.status);
        const note = step.cached ? ' (from the cache)' : step.message === null ? '' : `: ${step.message}`;
        output.write(`${step.stepName} ${step.status.replace('_', ' ')}${note}\n`);
      }
    },
  };
}

const nameWidth = (job: Job): number => Math.max(3, ...job.steps.map((step) => step.stepName.length));
