import type {
  OpenedBase,
  PlacedSpan,
  PrepareBaseInput,
  PrepareBaseResult,
  PreparedBase,
  PreparedSpan,
  SpansDocument,
} from '../../../workflows/contract/personalized.js';
import { changesPictures } from '../../../workflows/contract/personalized.js';
import type { ArtifactId } from '../../../workflows/contract/documents.js';
import { withHeartbeat } from '../../heartbeat.js';
import { withScratch } from '../../scratch.js';
import type { PersonalizeDeps } from './open-base.js';
import { prepareMedia } from './prepare-media.js';
import { listenAround } from './span-surroundings.js';
import { openWav } from './wav-window.js';

const version = 4;
const step = 'preparation';

/**
 * Makes an opened base ready for its spans. Where only sound changes, the pictures are copied as they are; where
 * pictures change, they are encoded once with a closed group from every border on. Sound of another encoder that
 * ours does not join to is encoded once, too.
 * @throws ApplicationFailure `spans_outside_base`, `span_too_long`, `spans_too_close`, `base_broken`
 */
export function createPrepareBase(deps: PersonalizeDeps) {
  return async function prepareBase(input: PrepareBaseInput): Promise<PrepareBaseResult> {
    return withHeartbeat(step, 2, async ({ signal, report }) => {
      const { opened, spans } = input;
      const movesMouths = changesPictures(input.options.insertMode);
      const { value, cached } = await deps.cache.through<{ prepared: ArtifactId }>(
        { activity: 'prepareBase', version, inputs: { opened, spans, changesPictures: movesMouths } },
        async () => {
          const { message: _, ...base } = await deps.artifacts.readJson<OpenedBase>(opened);
          const { spans: requests } = await deps.artifacts.readJson<SpansDocument>(spans);
          const { media, placed } = await withScratch(deps.scratchDir, (dir) =>
            prepareMedia(deps, { base, requests, changesPictures: movesMouths }, { dir, signal, report }),
          );
          const heard = await listen(deps, media.sound, placed);
          const whole: PreparedBase = { ...base, ...media, spans: heard };
          const prepared = await deps.artifacts.publishJson(whole);
          const files = [whole.sound, ...(whole.video === null ? [] : [whole.video])];
          return { value: { prepared }, artifacts: [prepared, ...files] };
        },
        signal,
      );
      return { ...value, cached };
    });
  };
}

async function listen(
  { artifacts }: PersonalizeDeps,
  soundId: ArtifactId,
  spans: readonly PlacedSpan[],
): Promise<PreparedSpan[]> {
  const sound = await openWav(await artifacts.fetch(soundId));
  try {
    const surroundings = await listenAround(sound, spans);
    return spans.flatMap((span, index) => {
      const around = surroundings[index];
      return around === undefined ? [] : [{ ...span, surroundings: around }];
    });
  } finally {
    await sound.close();
  }
}
