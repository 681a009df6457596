import type { CaptionCue, Composition, RenderUnit, SceneSegment } from './composition.js';

/** Times inside a unit are kept in this grid, so that they do not depend on where the unit stands. */
const ticksPerSecond = 48_000;

/** A unit without its captions, and where it stands in the video. */
interface Stretch extends Pick<RenderUnit, 'frames' | 'shots' | 'transition'> {
  startFrame: number;
}

/**
 * What a video is joined from, in order: for each scene the overlap with the scene before it, if any, and the
 * stretch that it has to itself. Units hold nothing of where they stand in the video, so an edit of one scene leaves
 * all units alone but its own and the overlaps on both sides.
 */
export function renderUnits(composition: Composition): RenderUnit[] {
  return composition.segments.flatMap((_, index) => unitsOf(composition, index));
}

/** The units of one segment, the overlap with the one before it first; none when there is no such segment. */
export function unitsOf(composition: Composition, index: number): RenderUnit[] {
  return stretchesOf(composition, index).map((stretch) => toUnit(composition, stretch));
}

/** How many frames each of {@link renderUnits} has, by segment. */
export function unitFrames(composition: Composition): number[][] {
  return composition.segments.map((_, index) => stretchesOf(composition, index).map(({ frames }) => frames));
}

function stretchesOf({ segments }: Composition, index: number): Stretch[] {
  const [before, segment, after] = [segments[index - 1], segments[index], segments[index + 1]];
  if (segment === undefined) return [];
  const overlap = before ? segment.transitionIn.frames : 0;
  const body: Stretch = {
    startFrame: segment.startFrame + overlap,
    frames: segment.frames - overlap - (after?.transitionIn.frames ?? 0),
    shots: [shot(segment, overlap)],
    transition: null,
  };
  if (!before) return [body].filter(hasFrames);
  const shots = [shot(before, before.frames - overlap), shot(segment, 0)];
  const { startFrame, transitionIn } = segment;
  return [{ startFrame, frames: overlap, shots, transition: transitionIn.kind }, body].filter(hasFrames);
}

const hasFrames = ({ frames }: Stretch) => frames > 0;

function shot({ layers, frames }: SceneSegment, offset: number): RenderUnit['shots'][number] {
  return { layers, sceneFrames: frames, offset };
}

function toUnit(composition: Composition, { startFrame, ...stretch }: Stretch): RenderUnit {
  const { width, height, fps } = composition;
  return { width, height, fps, ...stretch, captions: captionsOf(composition, startFrame, stretch.frames) };
}

/** Cues that show in the unit, with times from its start; null when there are none. */
function captionsOf(
  { captions, fps }: Composition,
  startFrame: number,
  frames: number,
): RenderUnit['captions'] {
  if (!captions) return null;
  const fromStart = (seconds: number) =>
    Math.round((seconds - startFrame / fps) * ticksPerSecond) / ticksPerSecond;
  const cues = captions.cues
    // A video has cues by the thousand and a unit few of them, so words are looked at only in those.
    .filter((cue) => fromStart(cue.endSeconds) > 0 && fromStart(cue.startSeconds) < frames / fps)
    .map((cue): CaptionCue => ({
      ...cue,
      startSeconds: fromStart(cue.startSeconds),
      endSeconds: fromStart(cue.endSeconds),
      words: cue.words.map((word) => ({
        ...word,
        startSeconds: fromStart(word.startSeconds),
        endSeconds: fromStart(word.endSeconds),
      })),
    }));
  return cues.length === 0 ? null : { style: captions.style, cues };
}
