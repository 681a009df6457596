import { join } from 'node:path';
import type { RenderSegmentInput, RenderSegmentResult } from '../../workflows/contract/explainer.js';
import type { ArtifactStore } from '../artifacts.js';
import type { GenerationCache } from '../cached.js';
import { invalidInput } from '../failures.js';
import { withHeartbeat, type Pulse } from '../heartbeat.js';
import { withScratch } from '../scratch.js';
import { drawCaptionStrips } from './captions/strips.js';
import type { Composition, RenderUnit } from './composition.js';
import { createPictureLoader, type PictureLoader } from './compositor/picture-loader.js';
import { encoderName, type FfmpegTools } from './ffmpeg/run.js';
import { segmentVersion } from './ffmpeg/segment-command.js';
import { renderUnit } from './render-unit.js';
import { renderUnitAt } from './render-units.js';

export interface RenderSegmentDeps {
  artifacts: Pick<ArtifactStore, 'fetch' | 'publishFile' | 'readJson'>;
  cache: GenerationCache;
  scratchDir: string;
  tools: FfmpegTools;
  fontconfigFile: string;
}

/**
 * Renders one segment of a composition, cached by what shows in it and by the encoder, whose streams are
 * joined with others of its own make only.
 * @throws ApplicationFailure `no_such_segment`, and as {@link renderUnit}.
 */
export function createRenderSegment(deps: RenderSegmentDeps) {
  const loader = createPictureLoader(deps.artifacts);
  return async function renderSegment(input: RenderSegmentInput): Promise<RenderSegmentResult> {
    return withHeartbeat('segments', input.index, async (pulse) => {
      const composition = await deps.artifacts.readJson<Composition>(input.composition);
      const unit = renderUnitAt(composition, input.index);
      if (!unit) {
        throw invalidInput({ code: 'no_such_segment', detail: `There is no segment ${input.index}.` });
      }
      const encoder = await encoderName(deps.tools);
      const { value, cached } = await deps.cache.through<{ segment: string }>(
        { activity: 'render_segment', version: segmentVersion, inputs: { unit, encoder } },
        async () => {
          const segment = await renderToArtifact(deps, loader, unit, pulse);
          return { value: { segment }, artifacts: [segment] };
        },
        pulse.signal,
      );
      return { ...value, cached };
    });
  };
}

/** Renders a unit and publishes it, or leaves nothing behind. */
export async function renderToArtifact(
  deps: RenderSegmentDeps,
  loader: PictureLoader,
  unit: RenderUnit,
  { signal, report }: Pulse,
): Promise<string> {
  return withScratch(deps.scratchDir, async (dir) => {
    const { captions } = unit;
    const strips = captions ? await drawCaptionStrips(deps, { ...unit, ...captions }, signal) : [];
    const target = join(dir, 'segment.mp4');
    await renderUnit({
      ...{ tools: deps.tools, loader, unit, strips, target, signal },
      onProgress: (frames) => {
        report((frames / unit.frames) * 0.98);
      },
    });
    signal.throwIfAborted();
    return deps.artifacts.publishFile(target, 'mp4');
  });
}
