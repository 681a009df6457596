import { refuseField } from './validation.js';

const booleans = new Set(['batchNameTts', 'diamondNaturalName', 'convertMov', 'dryRun', 'lipSyncFallback']);
const numbers = new Set([
  ...['elevenlabsSpeed', 'batchSplitSilenceDb', 'batchSplitSilenceSeconds', 'diamondGapSeconds'],
  ...['silenceDb', 'silenceSeconds', 'limit'],
]);

const lists = new Set(['placeholders', 'pads']);

/** A form has text only: numbers, truths and lists are written as in JSON. An empty field is one that is not given. */
export function typedFields(fields: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => [name, typed(name, text)]),
  );
}

function typed(name: string, text: string): unknown {
  if (booleans.has(name)) return text === 'true' ? true : text === 'false' ? false : text;
  if (numbers.has(name)) return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
  if (!lists.has(name)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw refuseField(`body.${name}`, 'is not valid JSON');
  }
}
