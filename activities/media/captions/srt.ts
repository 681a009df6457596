import type { CaptionCue } from '../composition.js';
import { cueLines, phrase } from './lines.js';
import { parseTime, srtTime } from './timestamps.js';
import type { FileCue } from './vtt.js';

/**
 * SubRip: plain text, no word times. There is no escape in this format; players that take `<i>` or `{\an8}`
 * for markup are kept from it by a word joiner (U+2060), which is not drawn.
 */
export function writeSrt(cues: readonly CaptionCue[]): string {
  return cues
    .map((cue, index) => {
      const times = `${srtTime(cue.startSeconds)} --> ${srtTime(cue.endSeconds)}`;
      const text = cueLines(cue)
        .map((line) => srtText(phrase(line)))
        .join('\n');
      return `${index + 1}\n${times}\n${text}\n`;
    })
    .join('\n');
}

const wordJoiner = '\u2060';

function srtText(text: string): string {
  return text.replace(/\s+/gu, ' ').replace(/[<{](?=[\p{L}/\\])/gu, (opening) => opening + wordJoiner);
}

/** Reads SubRip as written here. */
export function readSrt(srt: string): FileCue[] {
  return srt.split(/\n{2,}/).flatMap((block) => {
    const lines = block.split('\n').filter((line) => line !== '');
    const [start, end] = (lines[1] ?? '').split(' --> ');
    if (start === undefined || end === undefined) return [];
    const text = lines.slice(2).join('\n').replaceAll(wordJoiner, '');
    return [{ startSeconds: parseTime(start), endSeconds: parseTime(end), text, wordStarts: [] }];
  });
}
