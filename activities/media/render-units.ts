import type { CaptionCue, Composition, RenderUnit, SceneSegment } from './composition.js';

/** Times inside a unit are kept in this grid, so that they do not depend on where the unit stands. */
const ticksPerSecond = 48_000;

/** A unit without its captions, and where it stands in the video. */
interface Stretch extends Pick<RenderUnit, 'frames' | 'shots' | 'transition'> {
  startFrame: number;
}

/**
 * The encoder runs that make a video, in order: for each scene the overlap with the scene before it, if any,
 * and the stretch that it has to itself. Units hold nothing of where they stand in the video, so an edit of
 * one scene leaves all units alone but its own and the overlaps on both sides.
 */
export function renderUnits(composition: Composition): RenderUnit[] {
  return stretches(composition).map((stretch) => toUnit(composition, stretch));
}

/** One of {@link renderUnits} without the work of making the others; undefined when there is none at `index`. */
export function renderUnitAt(composition: Composition, index: number): RenderUnit | undefined {
  const stretch = stretches(composition)[index];
  return stretch && toUnit(composition, stretch);
}

/** How many frames each of {@link renderUnits} has. */
export function unitFrames(composition: Composition): number[] {
  return stretches(composition).map(({ frames }) => frames);
}

function stretches({ segments }: Composition): Stretch[] {
  return segments
    .flatMap((segment, index): Stretch[] => {
      const before = segments[index - 1];
      const overlap = before ? segment.transitionIn.frames : 0;
      const overlapAfter = segments[index + 1]?.transitionIn.frames ?? 0;
      const body: Stretch = {
        startFrame: segment.startFrame + overlap,
        frames: segment.frames - overlap - overlapAfter,
        shots: [shot(segment, overlap)],
        transition: null,
      };
      if (!before) return [body];
      const shots = [shot(before, before.frames - overlap), shot(segment, 0)];
      const { startFrame, transitionIn } = segment;
      return [{ startFrame, frames: overlap, shots, transition: transitionIn.kind }, body];
    })
    .filter(({ frames }) => frames > 0);
}

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
