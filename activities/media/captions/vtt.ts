import type { CaptionCue, CaptionWord } from '../composition.js';
import { cueLines, spaceBefore } from './lines.js';
import { parseTime, vttTime } from './timestamps.js';

/**
 * WebVTT with a timestamp before every word but the first, so that players can highlight the word that is
 * said (https://www.w3.org/TR/webvtt1/#introduction-karaoke). The language stands in a NOTE.
 */
export function writeVtt(cues: readonly CaptionCue[], language: string): string {
  const blocks = cues.map((cue, index) => {
    const times = `${vttTime(cue.startSeconds)} --> ${vttTime(cue.endSeconds)}`;
    const lines = cueLines(cue).map((line, lineIndex) => vttLine(cue, line, lineIndex === 0));
    const voice = cue.speaker === null ? '' : `<v ${escapeVtt(cue.speaker)}>`;
    return `${index + 1}\n${times}\n${voice}${lines.join('\n')}\n`;
  });
  return ['WEBVTT\n', `NOTE Language: ${language.replace(/[^A-Za-z0-9-]/g, '')}\n`, ...blocks].join('\n');
}

function vttLine(cue: CaptionCue, line: readonly CaptionWord[], isFirst: boolean): string {
  return line
    .map((word, index) => {
      const space = index === 0 ? '' : spaceBefore(word);
      // A timestamp must lie strictly within its cue.
      const needsTime = !(isFirst && index === 0) && vttTime(word.startSeconds) > vttTime(cue.startSeconds);
      return space + (needsTime ? `<${vttTime(word.startSeconds)}>` : '') + escapeVtt(word.text);
    })
    .join('');
}

function escapeVtt(text: string): string {
  return text.replace(/\s+/gu, ' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A cue as it stands in a caption file. `text` has its lines; `wordStarts` are the times inside of it. */
export interface FileCue {
  startSeconds: number;
  endSeconds: number;
  text: string;
  wordStarts: number[];
}

/** Reads WebVTT as written here: cues with plain text, tags removed, entities resolved. */
export function readVtt(vtt: string): FileCue[] {
  return vtt.split(/\n{2,}/).flatMap((block) => {
    const lines = block.split('\n').filter((line) => line !== '');
    const at = lines.findIndex((line) => line.includes(' --> '));
    if (at < 0) return [];
    const [start = '', end = ''] = (lines[at] ?? '').split(' --> ');
    const text = lines.slice(at + 1).join('\n');
    const wordStarts = Array.from(text.matchAll(/<([\d:.]+)>/g), (match) => parseTime(match[1] ?? ''));
    return [
      { startSeconds: parseTime(start), endSeconds: parseTime(end), text: plainText(text), wordStarts },
    ];
  });
}

function plainText(text: string): string {
  return text
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
