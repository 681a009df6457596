import { parseArgs } from 'node:util';
import {
  aspectRatios,
  builtinMusic,
  captionStyles,
  motions,
  resolutions,
  themes,
  transitions,
} from '../../workflows/contract/options.js';
import { UsageError } from '../usage-error.js';

export interface DemoOptions {
  source: string | undefined;
  prompt: string | undefined;
  out: string;
  keep: boolean;
  /** Members of the request body. */
  video: {
    aspectRatio: string;
    resolution: string;
    theme: string;
    transition: string;
    motion: string;
    captions: { mode: string; style: string };
    music: { builtin: string } | null;
    language?: string;
    voice?: { speed: number };
  };
}

export const demoUsage = `npm run demo -- [options]
  --source FILE       text or Markdown to make a video of (default: the sample article)
  --prompt TEXT       a topic instead of a text
  --out FILE          where the MP4 goes (default demo.mp4)
  --aspect RATIO      ${aspectRatios.join(' | ')}
  --resolution SIZE   ${resolutions.join(' | ')} (default 1080p)
  --theme NAME        ${themes.join(' | ')}
  --captions STYLE    ${captionStyles.join(' | ')} | none
  --transition NAME   ${transitions.join(' | ')}
  --motion NAME       ${motions.join(' | ')}
  --music NAME        ${builtinMusic.join(' | ')}
  --no-music
  --language TAG      e.g. en, de, hi
  --speed NUMBER      of the voice, 0.5 to 2
  --keep              leave the stack running until Ctrl-C`;

/** @throws UsageError that names the option. */
export function parseDemoOptions(args: readonly string[]): DemoOptions {
  const { values } = parse(args);
  if (values.source !== undefined && values.prompt !== undefined) {
    throw new UsageError('--source and --prompt exclude one another', demoUsage);
  }
  const captions = oneOf('captions', values.captions, [...captionStyles, 'none']);
  const speed = values.speed === undefined ? undefined : Number(values.speed);
  if (speed !== undefined && !(speed >= 0.5 && speed <= 2)) {
    throw new UsageError('--speed is a number from 0.5 to 2', demoUsage);
  }
  return {
    source: values.source,
    prompt: values.prompt,
    out: values.out,
    keep: values.keep,
    video: {
      aspectRatio: oneOf('aspect', values.aspect, aspectRatios),
      resolution: oneOf('resolution', values.resolution, resolutions),
      theme: oneOf('theme', values.theme, themes),
      transition: oneOf('transition', values.transition, transitions),
      motion: oneOf('motion', values.motion, motions),
      captions:
        captions === 'none' ? { mode: 'none', style: 'karaoke' } : { mode: 'burned', style: captions },
      music: values['no-music'] ? null : { builtin: oneOf('music', values.music, builtinMusic) },
      ...(values.language === undefined ? {} : { language: values.language }),
      ...(speed === undefined ? {} : { voice: { speed } }),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        source: { type: 'string' },
        prompt: { type: 'string' },
        out: { type: 'string', default: 'demo.mp4' },
        aspect: { type: 'string', default: '16:9' },
        resolution: { type: 'string', default: '1080p' },
        theme: { type: 'string', default: 'midnight' },
        captions: { type: 'string', default: 'karaoke' },
        transition: { type: 'string', default: 'fade' },
        motion: { type: 'string', default: 'kenburns' },
        music: { type: 'string', default: 'calm' },
        'no-music': { type: 'boolean', default: false },
        language: { type: 'string' },
        speed: { type: 'string' },
        keep: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), demoUsage);
  }
}

function oneOf(option: string, value: string, allowed: readonly string[]): string {
  if (allowed.includes(value)) return value;
  throw new UsageError(`--${option} is one of ${allowed.join(', ')}, not "${value}"`, demoUsage);
}
