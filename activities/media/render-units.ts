import type { CaptionCue, Composition, RenderUnit, SceneSegment } from './composition.js';

/** Times inside a unit are kept in this grid, so that they do not depend on where the unit stands. */
const ticksPerSecond = 48_000;

/**
 * The encoder runs that make a video, in order: for each scene the overlap with the scene before it, if any,
 * and the stretch that it has to itself. Units hold nothing of where they stand in the video, so an edit of
 * one scene leaves all units alone but its own and the overlaps on both sides.
 */
export function renderUnits(composition: Composition): RenderUnit[] {
  const { width, height, fps, segments } = composition;
  return segments.flatMap((segment, index) => {
    const before = segments[index - 1];
    const overlap = before ? segment.transitionIn.frames : 0;
    const overlapAfter = segments[index + 1]?.transitionIn.frames ?? 0;
    const units: RenderUnit[] = [];
    const add = (startFrame: number, frames: number, unit: Pick<RenderUnit, 'shots' | 'transition'>) => {
      if (frames <= 0) return;
      const captions = captionsOf(composition, startFrame, frames);
      units.push({ width, height, fps, frames, ...unit, captions });
    };
    if (before) {
      add(segment.startFrame, overlap, {
        shots: [shot(before, before.frames - overlap), shot(segment, 0)],
        transition: segment.transitionIn.kind,
      });
    }
    add(segment.startFrame + overlap, segment.frames - overlap - overlapAfter, {
      shots: [shot(segment, overlap)],
      transition: null,
    });
    return units;
  });
}

function shot({ layers, frames }: SceneSegment, offset: number): RenderUnit['shots'][number] {
  return { layers, sceneFrames: frames, offset };
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
    .map((cue): CaptionCue => ({
      ...cue,
      startSeconds: fromStart(cue.startSeconds),
      endSeconds: fromStart(cue.endSeconds),
      words: cue.words.map((word) => ({
        ...word,
        startSeconds: fromStart(word.startSeconds),
        endSeconds: fromStart(word.endSeconds),
      })),
    }))
    .filter((cue) => cue.endSeconds > 0 && cue.startSeconds < frames / fps);
  return cues.length === 0 ? null : { style: captions.style, cues };
}
