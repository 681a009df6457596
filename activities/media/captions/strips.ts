import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CaptionStyle } from '../../../workflows/contract/options.js';
import { withScratch } from '../../scratch.js';
import type { CaptionCue, CaptionStrip } from '../composition.js';
import { ffmpegArguments, fileName } from '../ffmpeg/command.js';
import { runFfmpeg, type FfmpegTools } from '../ffmpeg/run.js';
import { writeAssLooks, type CaptionLook } from './ass.js';
import { captionLayout, type CaptionLayout } from './caption-layout.js';
import { captionStates, type CaptionState } from './states.js';
import { markedAreas } from './marked-areas.js';
import { cutOut, drawnArea, wordAreas, type DrawnFrames } from './strip-pixels.js';

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

/** {@link drawStripsOf} for one unit. */
export async function drawCaptionStrips(
  deps: StripDeps,
  input: StripInput,
  signal?: AbortSignal,
): Promise<CaptionStrip[]> {
  return (await drawStripsOf(deps, [input], signal))[0] ?? [];
}

/**
 * Draws the captions of units as small transparent pictures for a compositor to lay over the frames. libass
 * draws each cue two or three times, in a strip just large enough, instead of every frame in full: without a
 * mark, with all words marked, and once to show where the words are. What shows is what libass would burn in
 * from the ASS file. `boxed`, whose boxes reach into one another, has a picture for each word instead.
 * @param inputs units of one size and style, which are drawn in one run.
 * @returns each unit's strips in order of time; no two show on the same frame.
 */
export async function drawStripsOf(
  deps: StripDeps,
  inputs: readonly StripInput[],
  signal?: AbortSignal,
): Promise<CaptionStrip[][]> {
  const plans = inputs.flatMap((input, unit) => {
    const showings = input.cues.flatMap((cue) => showingsOf(cue, input));
    const own = input.style === 'boxed' ? showings.map(planState) : planCues(showings);
    return own.map((plan) => ({ plan, unit }));
  });
  const strips = inputs.map((): CaptionStrip[] => []);
  const [first] = inputs;
  if (plans.length === 0 || first === undefined) return strips;
  const canvas = stripCanvas({ ...first, cues: inputs.flatMap(({ cues }) => cues) });
  const planBytes = canvas.layout.width * canvas.layout.height * 4 * mostLooks;
  const plansPerRun = Math.max(1, Math.floor(mostBytesPerRun / planBytes));
  for (let from = 0; from < plans.length; from += plansPerRun) {
    const batch = plans.slice(from, from + plansPerRun);
    const looks = batch.map(({ plan }) => plan);
    const drawn = await drawLooks(deps, first.style, canvas, looks, signal);
    let index = 0;
    for (const { plan, unit } of batch) {
      strips[unit]?.push(...toStrip(first.style, plan, drawn, index));
      index += plan.looks.length;
    }
  }
  return strips;
}

/** Raw frames of one run stand in memory at once. */
const mostBytesPerRun = 48 * 1024 ** 2;

interface Showing {
  cue: CaptionCue;
  state: CaptionState;
  firstFrame: number;
  frames: number;
}

/** One strip to draw: which looks of a cue, and when they show. */
interface StripPlan {
  cue: CaptionCue;
  looks: CaptionLook[];
  showings: Showing[];
}

const mostLooks = 3;
const unmarked: CaptionState = { startSeconds: 0, endSeconds: 0, current: null, fill: 0 };

/** Which state shows on which frames of the unit; states that fall between two frames are left out. */
function showingsOf(cue: CaptionCue, { style, fps, frames }: StripInput): Showing[] {
  const firstFrameAt = (seconds: number) =>
    Math.min(frames, Math.max(0, Math.ceil((Math.round(seconds * 100) / 100) * fps - 1e-6)));
  return captionStates(cue, style).flatMap((state) => {
    const firstFrame = firstFrameAt(state.startSeconds);
    const count = firstFrameAt(state.endSeconds) - firstFrame;
    return count > 0 ? [{ cue, state, firstFrame, frames: count }] : [];
  });
}

const planState = (showing: Showing): StripPlan => ({
  cue: showing.cue,
  looks: [showing.state],
  showings: [showing],
});

function planCues(showings: readonly Showing[]): StripPlan[] {
  const plans = new Map<CaptionCue, StripPlan>();
  for (const showing of showings) {
    const { cue } = showing;
    const plan = plans.get(cue) ?? { cue, looks: [unmarked, 'marked', 'words'], showings: [] };
    plan.showings.push(showing);
    plans.set(cue, plan);
  }
  return [...plans.values()];
}

/** @param index of the plan's first frame. */
function toStrip(
  style: CaptionStyle,
  { cue, looks, showings }: StripPlan,
  drawn: DrawnFrames,
  index: number,
): CaptionStrip[] {
  const area = drawnArea(drawn, index);
  if (!area) return [];
  const picture = cutOut(drawn, index, area);
  const times = ({ firstFrame, frames }: Showing) => ({ firstFrame, frames });
  if (looks.length === 1) return [{ ...picture, shows: showings.map((s) => ({ ...times(s), areas: [] })) }];
  const marked = cutOut(drawn, index + 1, area).rgba;
  const words = wordAreas(drawn, index + 2);
  const shows = showings.map((showing) => ({
    ...times(showing),
    areas: markedAreas(style, cue, showing.state, words),
  }));
  return [{ ...picture, marked, shows }];
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

async function drawLooks(
  deps: StripDeps,
  style: CaptionStyle,
  { x, y, layout }: StripCanvas,
  plans: readonly StripPlan[],
  signal: AbortSignal | undefined,
): Promise<DrawnFrames> {
  const looks = plans.flatMap((plan) => plan.looks.map((look) => ({ cue: plan.cue, look })));
  return withScratch(deps.scratchDir, async (dir) => {
    const assPath = join(dir, 'strips.ass');
    const rawPath = join(dir, 'strips.rgba');
    await writeFile(assPath, writeAssLooks(style, layout, looks));
    const { width, height } = layout;
    // One frame a second, moved to the middle of its second.
    const source = `color=c=black@0:s=${width}x${height}:r=1:d=${looks.length},format=rgba`;
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
      timeoutMs: 60_000 + looks.length * 1_000,
      env: { FONTCONFIG_FILE: deps.fontconfigFile },
      ...(signal === undefined ? {} : { signal }),
    });
    const raw = await readFile(rawPath);
    const frameBytes = width * height * 4;
    if (raw.length !== frameBytes * looks.length) {
      throw new Error(`libass drew ${raw.length / frameBytes} of ${looks.length} captions`);
    }
    return { raw, x, y, width, height };
  });
}
