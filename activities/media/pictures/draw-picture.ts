import type {
  PictureDocument,
  PictureOverlay,
  ScriptDocument,
} from '../../../workflows/contract/documents.js';
import type { DrawPictureInput, DrawPictureResult } from '../../../workflows/contract/explainer.js';
import type { ArtifactStore } from '../../artifacts.js';
import type { GenerationCache } from '../../cached.js';
import { invalidInput } from '../../failures.js';
import { withHeartbeat } from '../../heartbeat.js';
import { frameSize } from '../frame-size.js';
import type { PictureProvider, PictureSubject } from './picture-provider.js';

export interface DrawPictureDeps {
  artifacts: Pick<ArtifactStore, 'fetch' | 'publishBytes' | 'publishJson' | 'readJson'>;
  cache: GenerationCache;
  /** One for every name that a job's options can ask for. */
  pictureProviders: Record<DrawPictureInput['options']['images']['provider'], PictureProvider>;
}

/**
 * Draws one scene → {@link PictureDocument}, cached by the scene and how it is drawn: an edit of another scene,
 * or the same scene in another job, finds it again.
 *
 * @throws ApplicationFailure, non-retryable, when the scene does not exist or its picture cannot be used.
 */
export function createDrawPicture({ artifacts, cache, pictureProviders }: DrawPictureDeps) {
  return async function drawPicture(input: DrawPictureInput): Promise<DrawPictureResult> {
    return withHeartbeat('images', input.sceneNumber - 1, async (pulse) => {
      const script = await artifacts.readJson<ScriptDocument>(input.script);
      const subject = subjectFor(input, script);
      const provider = pictureProviders[input.options.images.provider];
      const inputs = { subject, surroundings: await provider.surroundings(subject) };
      const name = { activity: `drawPicture/${provider.name}`, version: provider.version, inputs };
      const produce = async () => {
        const image = subject.scene.imageArtifact;
        const imagePath = image === null ? null : await artifacts.fetch(image);
        const drawn = await provider.draw({ ...subject, imagePath }, pulse.signal);
        pulse.report(0.7);
        const background = await artifacts.publishBytes(drawn.background.bytes, drawn.background.extension);
        const overlays: PictureOverlay[] = [];
        for (const { bytes, extension, x, y, width, height, appearAtWord } of drawn.overlays) {
          const artifact = await artifacts.publishBytes(bytes, extension);
          overlays.push({ artifact, x, y, width, height, appearAtWord });
        }
        const document: PictureDocument = { background, overlays };
        const picture = await artifacts.publishJson(document);
        return {
          value: { picture, note: drawn.note },
          artifacts: [picture, background, ...overlays.map(({ artifact }) => artifact)],
        };
      };
      const { value, cached } = await cache.through(name, produce, pulse.signal);
      return { ...value, cached };
    });
  };
}

function subjectFor(
  { sceneNumber, sceneCount, options }: DrawPictureInput,
  script: ScriptDocument,
): PictureSubject {
  const scene = script.scenes.find(({ number }) => number === sceneNumber);
  if (scene === undefined) {
    throw invalidInput({ code: 'scene_missing', detail: `The script has no scene ${sceneNumber}.` });
  }
  return {
    scene,
    sceneCount,
    title: sceneNumber === 1 ? script.title : null,
    language: script.language,
    theme: options.theme,
    aspectRatio: options.aspectRatio,
    ...frameSize(options.aspectRatio, options.resolution),
    motion: options.motion,
    captionsBurned: options.captions.mode === 'burned' || options.captions.mode === 'both',
  };
}
