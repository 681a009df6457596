import { parseArgs } from 'node:util';
import {
  insertModes,
  lipSyncProviders,
  namePositions,
  nameVoices,
  maxSpans,
} from '../../workflows/contract/personalized.js';
import { UsageError } from '../usage-error.js';

export interface PersonalizeOptions {
  video: string;
  recipients: string;
  voiceSample: string | undefined;
  /** A file whose text is the transcript. */
  transcriptFile: string | undefined;
  /** Undefined for a dry run, which makes no files. */
  outdir: string | undefined;
  force: boolean;
  dryRun: boolean;
  /** An API elsewhere, without a slash at its end; undefined for the stack here. */
  url: string | undefined;
  /** The form's other fields, by the API's names. */
  fields: Record<string, string>;
}

export const personalizeUsage = `npm run callsheet -- personalize [options]
  --video FILE             the base video
  --recipients FILE        CSV or XLSX with a header and a column of names
  --outdir FOLDER          where the files and report.csv go
  --dry-run                check every row and quote; nothing is rendered
  --mode MODE              ${insertModes.join(' | ')} (default silver)
  --transcript TEXT        what the base says, what is replaced in brackets: "Hello [friend], …"
  --transcript-file FILE   the same from a file
  --markers WORDS          words of the transcript to replace instead of brackets: NAME1,NAME2
  --placeholder A-B[=TEXT] a span in seconds and what is said there, e.g. 0.6-1.1="{name}"; may be repeated
  --text TEXT              what is said in place of a span (default {name})
  --position PLACE         ${namePositions.join(' | ')}: where the name goes when nothing else tells
  --name-column NAME       (default name)
  --language TAG           e.g. en, de, hi
  --voice PROVIDER         ${nameVoices.join(' | ')} (default espeak)
  --voice-id ID            the provider's name of a voice
  --voice-sample FILE      a recording of the speaker, for providers that clone
  --lip-sync PROVIDER      ${lipSyncProviders.join(' | ')}
  --pads T,B,L,R           pixels that Wav2Lip adds around the face (default 0,10,0,0)
  --lip-sync-fallback      the gold result where no face is found
  --fit                    stretch the words to the span instead of giving them their own time
  --convert                take a base that is no MP4 with H.264
  --limit NUMBER           only the first so many recipients
  --force                  write into a folder that has files already
  --url URL                an API elsewhere, with the API key in CALLSHEET_TOKEN; without it the stack that
                           runs here, or one that is started and stopped again
An ElevenLabs key of your own for an API elsewhere is taken from ELEVENLABS_API_KEY.`;

const hint = '"npm run callsheet -- personalize --help" tells all options';

/** A command line that is wrong, in one sentence. */
export const wrong = (message: string): UsageError => new UsageError(message, hint);

/** @throws UsageError that names the option. */
export function parsePersonalizeOptions(args: readonly string[]): PersonalizeOptions {
  const values = parse(args);
  const isDryRun = values['dry-run'];
  if (values.token !== undefined || values['elevenlabs-key'] !== undefined) {
    const name = values.token === undefined ? 'ELEVENLABS_API_KEY' : 'CALLSHEET_TOKEN';
    throw wrong(`secrets on a command line are seen by everyone on this machine: set ${name} instead`);
  }
  const { video, recipients, outdir } = values;
  if (video === undefined) throw wrong('--video names the base video');
  if (recipients === undefined) throw wrong('--recipients names the table of recipients');
  if (outdir === undefined && !isDryRun) throw wrong('--outdir names the folder for the files');
  const ways = [values.transcript, values['transcript-file'], values.placeholder?.[0]];
  if (ways.filter((way) => way !== undefined).length > 1) {
    throw wrong('--transcript, --transcript-file and --placeholder exclude one another');
  }
  return {
    ...{ video, recipients, outdir, dryRun: isDryRun, force: values.force },
    voiceSample: values['voice-sample'],
    transcriptFile: values['transcript-file'],
    url: values.url === undefined ? undefined : apiAddress(values.url),
    fields: given({
      insertMode: oneOf('mode', values.mode, insertModes),
      transcript: values.transcript,
      platinumPlaceholders: values.markers,
      placeholders: values.placeholder && JSON.stringify(spans(values.placeholder)),
      text: values.text,
      namePosition: oneOf('position', values.position, namePositions),
      nameColumn: values['name-column'],
      lang: values.language,
      ttsProvider: oneOf('voice', values.voice, nameVoices),
      voiceId: values['voice-id'],
      lipSyncProvider: oneOf('lip-sync', values['lip-sync'], lipSyncProviders),
      pads: fourPixels(values.pads),
      lipSyncFallback: values['lip-sync-fallback'] ? 'true' : undefined,
      diamondNaturalName: values.fit ? 'false' : undefined,
      convertMov: values.convert ? 'true' : undefined,
      limit: wholeNumber(values.limit),
      dryRun: isDryRun ? 'true' : undefined,
    }),
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ video: text, recipients: text, outdir: text, 'dry-run': flag, mode: text },
        ...{ transcript: text, 'transcript-file': text, markers: text, text, position: text },
        placeholder: { type: 'string', multiple: true },
        ...{ 'name-column': text, language: text, voice: text, 'voice-id': text, 'voice-sample': text },
        ...{ 'lip-sync': text, pads: text, 'lip-sync-fallback': flag, fit: flag, convert: flag, limit: text },
        ...{ force: flag, url: text, token: text, 'elevenlabs-key': text },
      },
    }).values;
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

function oneOf(option: string, value: string | undefined, allowed: readonly string[]): string | undefined {
  if (value === undefined || allowed.includes(value)) return value;
  throw wrong(`--${option} is one of ${allowed.join(', ')}, not "${value}"`);
}

function wholeNumber(value: string | undefined): string | undefined {
  if (value === undefined || /^[1-9]\d{0,4}$/.test(value)) return value;
  throw wrong(`--limit is a whole number from 1 on, not "${value}"`);
}

/** As the form has lists: in JSON. */
function fourPixels(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,3}(,\d{1,3}){3}$/.test(value)) return JSON.stringify(value.split(',').map(Number));
  throw wrong(`--pads is four numbers of pixels, such as 0,20,0,0, not "${value}"`);
}

/** `0.6-1.1={name}`: seconds of the base, and what is said there. */
function spans(placeholders: readonly string[]) {
  if (placeholders.length > maxSpans) throw wrong(`--placeholder can be given ${maxSpans} times at most`);
  return placeholders.map((placeholder) => {
    const [, start, end, text] = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)(?:=(.+))?$/s.exec(placeholder) ?? [];
    const [startSeconds, endSeconds] = [Number(start), Number(end)];
    if (start === undefined || endSeconds <= startSeconds) {
      throw wrong(`--placeholder is START-END=TEXT in seconds, such as 0.6-1.1={name}, not "${placeholder}"`);
    }
    return { startSeconds, endSeconds, ...(text === undefined ? {} : { text }) };
  });
}

function apiAddress(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw wrong('--url is the address of an API, such as https://callsheet.example.org');
  }
  return `${url.origin}${url.pathname}`.replace(/\/(api\/v1\/?)?$/, '');
}

function given(fields: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
