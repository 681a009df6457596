import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CaptionStyle } from '../../../workflows/contract.js';
import { withScratch } from '../../scratch.js';
import type { CaptionCue, CaptionStrip } from '../composition.js';
import { ffmpegArguments, fileName } from '../ffmpeg/command.js';
import { runFfmpeg, type FfmpegTools } from '../ffmpeg/run.js';
import { writeAssStates } from './ass.js';
import { captionLayout, type CaptionLayout } from './caption-layout.js';
import { captionStates, type CaptionState } from './states.js';
import { cropToStrip, type Picture } from './strip-pixels.js';

export interface StripDeps {
  tools: FfmpegTools;
  /** fonts.conf that names the program's fonts. */
  fontconfigFile: string;
  scratchDir: string;
}

export interface StripInput {
  width: number;
  height: number;
  fps: number;
  frames: number;
  style: CaptionStyle;
  /** Times are from the start of the unit; a cue may begin before it or end after it. */
  cues: readonly CaptionCue[];
}

/**
 * Draws the captions of a unit as small transparent pictures, one for each state of the highlighting, for a
 * compositor to lay over the frames. libass draws each state once, in a strip just large enough, instead of
 * every frame in full; what shows is what libass would burn in from the ASS file.
 * @returns strips in order of time; no two show on the same frame.
 */
export async function drawCaptionStrips(
  deps: StripDeps,
  input: StripInput,
  signal?: AbortSignal,
): Promise<CaptionStrip[]> {
  const shows = showings(input);
  if (shows.length === 0) return [];
  const canvas = stripCanvas(input);
  const pictures: Picture[] = [];
  const distinct = [...new Map(shows.map((show) => [show.key, show])).values()];
  const statesPerRun = Math.max(
    1,
    Math.floor(mostBytesPerRun / (canvas.layout.width * canvas.layout.height * 4)),
  );
  for (let from = 0; from < distinct.length; from += statesPerRun) {
    const batch = distinct.slice(from, from + statesPerRun);
    pictures.push(...(await drawStates(deps, input.style, canvas, batch, signal)));
  }
  const byKey = new Map(distinct.map((show, index) => [show.key, pictures[index]]));
  return shows.flatMap(({ key, firstFrame, frames }) => {
    const picture = byKey.get(key);
    return picture === undefined || picture.width === 0 ? [] : [{ ...picture, firstFrame, frames }];
  });
}

/** Raw frames of one run stand in memory at once. */
const mostBytesPerRun = 96 * 1024 ** 2;

interface Showing {
  key: string;
  cue: CaptionCue;
  state: CaptionState;
  firstFrame: number;
  frames: number;
}

/** Which state shows on which frames of the unit; states that fall between two frames are left out. */
function showings({ cues, style, fps, frames }: StripInput): Showing[] {
  const firstFrameAt = (seconds: number) =>
    Math.min(frames, Math.max(0, Math.ceil((Math.round(seconds * 100) / 100) * fps - 1e-6)));
  return cues.flatMap((cue, cueIndex) =>
    captionStates(cue, style).flatMap((state) => {
      const firstFrame = firstFrameAt(state.startSeconds);
      const count = firstFrameAt(state.endSeconds) - firstFrame;
      const key = `${cueIndex}/${state.current}/${state.fill}`;
      return count > 0 ? [{ key, cue, state, firstFrame, frames: count }] : [];
    }),
  );
}

/** The part of the frame that captions can reach: `x`, `y` of its corner, and the layout inside of it. */
interface StripCanvas {
  x: number;
  y: number;
  layout: CaptionLayout;
}

function stripCanvas({ width, height, cues }: StripInput): StripCanvas {
  const layout = captionLayout(width, height);
  const bleed = even(layout.fontSize * 0.4);
  // One line more than planned, should a line turn out wider than reckoned and be broken once more.
  const lines = Math.max(...cues.map((cue) => cue.lines.length)) + 1;
  const x = Math.max(0, even(layout.sideMargin - bleed));
  const bottom = Math.min(height, height - layout.bottomMargin + bleed);
  const y = Math.max(0, even(bottom - 2 * bleed - lines * layout.fontSize));
  const inner = { width: width - 2 * x, height: bottom - y };
  return {
    x,
    y,
    layout: {
      ...layout,
      ...inner,
      sideMargin: layout.sideMargin - x,
      bottomMargin: inner.height - (height - layout.bottomMargin - y),
    },
  };
}

const even = (value: number) => 2 * Math.floor(value / 2);

async function drawStates(
  deps: StripDeps,
  style: CaptionStyle,
  { x, y, layout }: StripCanvas,
  shows: readonly Showing[],
  signal: AbortSignal | undefined,
): Promise<Picture[]> {
  return withScratch(deps.scratchDir, async (dir) => {
    const assPath = join(dir, 'strips.ass');
    const rawPath = join(dir, 'strips.rgba');
    await writeFile(assPath, writeAssStates(style, layout, shows));
    const { width, height } = layout;
    // One frame a second, moved to the middle of its second.
    const source = `color=c=black@0:s=${width}x${height}:r=1:d=${shows.length},format=rgba`;
    await runFfmpeg(deps.tools, {
      args: ffmpegArguments({
        inputs: [{ source, options: ['-f', 'lavfi'] }],
        filterGraph: `settb=1/100,setpts=PTS+50,ass=filename=${assPath}:alpha=1`,
        outputs: [
          {
            target: fileName(rawPath),
            options: ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgba'],
          },
        ],
      }),
      timeoutMs: 60_000 + shows.length * 1_000,
      env: { FONTCONFIG_FILE: deps.fontconfigFile },
      ...(signal === undefined ? {} : { signal }),
    });
    const raw = await readFile(rawPath);
    const frameBytes = width * height * 4;
    if (raw.length !== frameBytes * shows.length) {
      throw new Error(`libass drew ${raw.length / frameBytes} of ${shows.length} caption states`);
    }
    return shows.map((_show, index) => cropToStrip(raw, index * frameBytes, width, height, x, y));
  });
}
