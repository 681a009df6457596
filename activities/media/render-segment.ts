import type { RenderSegmentInput, RenderSegmentResult } from '../../workflows/contract/explainer.js';
import type { ArtifactStore } from '../artifacts.js';
import { lookUp, type CacheName, type GenerationCache } from '../cached.js';
import { invalidInput } from '../failures.js';
import { withHeartbeat, type Pulse } from '../heartbeat.js';
import { withScratch } from '../scratch.js';
import { drawStripsOf } from './captions/strips.js';
import type { Composition, RenderUnit } from './composition.js';
import { createPictureLoader, type PictureLoader } from './compositor/picture-loader.js';
import { encodeUnits } from './encode-units.js';
import { encoderName, type FfmpegTools } from './ffmpeg/run.js';
import { segmentVersion } from './ffmpeg/segment-command.js';
import { unitsOf } from './render-units.js';

export interface RenderSegmentDeps {
  artifacts: Pick<ArtifactStore, 'fetch' | 'publishFile' | 'readJson'>;
  cache: GenerationCache;
  scratchDir: string;
  tools: FfmpegTools;
  fontconfigFile: string;
}

/**
 * Renders one segment of a composition: the overlap with the one before it, and what it has to itself. Each is
 * cached by what shows in it and by the encoder, whose streams are joined with others of its own make only. Where
 * both are to be made, one run makes both.
 * @throws ApplicationFailure `no_such_segment`, and as {@link encodeUnits}.
 */
export function createRenderSegment(deps: RenderSegmentDeps) {
  const loader = createPictureLoader(deps.artifacts);
  return async function renderSegment(input: RenderSegmentInput): Promise<RenderSegmentResult> {
    return withHeartbeat('segments', input.index, async (pulse) => {
      const composition = await deps.artifacts.readJson<Composition>(input.composition);
      const units = unitsOf(composition, input.index);
      if (units.length === 0) {
        throw invalidInput({ code: 'no_such_segment', detail: `There is no segment ${input.index}.` });
      }
      const encoder = await encoderName(deps.tools);
      const { signal } = pulse;
      const named = units.map((unit): NamedUnit => ({
        unit,
        name: { activity: 'render_unit', version: segmentVersion, inputs: { unit, encoder } },
      }));
      /** Made along with the ones before them. */
      const ready = new Map<NamedUnit, string>();
      const made: { value: RenderedUnit; cached: boolean }[] = [];
      for (const [index, one] of named.entries()) {
        const render = async () => {
          const unit = ready.get(one) ?? (await renderRun(await missingFrom(named.slice(index))));
          return { value: { unit }, artifacts: [unit] };
        };
        made.push(await deps.cache.through<RenderedUnit>(one.name, render, signal));
      }
      return { units: made.map(({ value }) => value.unit), cached: made.every(({ cached }) => cached) };

      /** The first one, and those behind it that are to be made, too. */
      async function missingFrom([first, ...others]: readonly NamedUnit[]): Promise<NamedUnit[]> {
        const missing = first === undefined ? [] : [first];
        for (const other of others) {
          if ((await lookUp<RenderedUnit>(deps.cache, other.name, signal)) !== undefined) break;
          missing.push(other);
        }
        return missing;
      }

      async function renderRun(run: readonly NamedUnit[]): Promise<string> {
        const ids = await renderToArtifacts(
          deps,
          loader,
          run.map(({ unit }) => unit),
          pulse,
        );
        for (const [index, one] of run.entries()) ready.set(one, ids[index] ?? '');
        return ids[0] ?? '';
      }
    });
  };
}

interface NamedUnit {
  unit: RenderUnit;
  name: CacheName;
}

interface RenderedUnit {
  unit: string;
}

/** Renders units in one run and publishes them, or leaves nothing behind. */
async function renderToArtifacts(
  deps: RenderSegmentDeps,
  loader: PictureLoader,
  units: readonly RenderUnit[],
  { signal, report }: Pulse,
): Promise<string[]> {
  return withScratch(deps.scratchDir, async (dir) => {
    const captioned = units.flatMap(({ captions, ...unit }) => (captions ? [{ ...unit, ...captions }] : []));
    const drawn = await drawStripsOf(deps, captioned, signal);
    const total = units.reduce((sum, { frames }) => sum + frames, 0);
    const paths = await encodeUnits({
      ...{ tools: deps.tools, loader, dir, signal },
      units: units.map((unit) => ({ unit, strips: unit.captions ? (drawn.shift() ?? []) : [] })),
      onProgress: (frames) => {
        report((frames / total) * 0.98);
      },
    });
    signal.throwIfAborted();
    const ids: string[] = [];
    for (const path of paths) ids.push(await deps.artifacts.publishFile(path, 'mp4', { isSpare: true }));
    return ids;
  });
}
