import { openAsBlob } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { callerPath } from '../client/caller-folder.js';
import { wrong, type PersonalizeOptions } from './options.js';

/**
 * The body of `POST /personalized-videos`. Its files are read when they are sent, not before.
 * @throws UsageError that names the option whose file cannot be read
 */
export async function personalizeForm(options: PersonalizeOptions): Promise<FormData> {
  const form = new FormData();
  for (const [name, value] of Object.entries(options.fields)) form.append(name, value);
  if (options.transcriptFile !== undefined) {
    const path = await readable('transcript-file', options.transcriptFile);
    form.append('transcript', (await readFile(path, 'utf8')).replace(/^\ufeff/, '').trim());
  }
  const files = [
    ['baseVideo', 'video', options.video],
    ['recipients', 'recipients', options.recipients],
    ['voiceSample', 'voice-sample', options.voiceSample],
  ] as const;
  for (const [part, option, file] of files) {
    if (file === undefined) continue;
    const path = await readable(option, file);
    form.append(part, await openAsBlob(path), basename(path));
  }
  return form;
}

async function readable(option: string, file: string): Promise<string> {
  const path = callerPath(file);
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() === true) return path;
  const what = found === undefined ? 'is not there' : 'is no file';
  throw wrong(`--${option} ${path} ${what}`);
}
