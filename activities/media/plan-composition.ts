import type { ArtifactId, PictureDocument, VoiceDocument } from '../../workflows/contract/documents.js';
import type { PlanCompositionInput, PlanCompositionResult } from '../../workflows/contract/explainer.js';
import type { ExplainerOptions } from '../../workflows/contract/options.js';
import type { ArtifactStore } from '../artifacts.js';
import type { GenerationCache } from '../cached.js';
import { invalidInput } from '../failures.js';
import { withHeartbeat } from '../heartbeat.js';
import { planAudio } from './audio/plan-audio.js';
import { samplesPerFrame } from './captions/timeline.js';
import type { CaptionDocument, Composition, Layer, SceneTiming } from './composition.js';
import { frameSize } from './frame-size.js';
import { unitFrames } from './render-units.js';

export interface PlanCompositionDeps {
  artifacts: Pick<ArtifactStore, 'readJson' | 'publishJson'>;
  cache: GenerationCache;
}

/** Raised when the same inputs give another composition. */
const version = 2;

/** How long an overlay takes to appear. */
const overlayFadeFrames = 9;

/** The plan of a whole video, and the frames of the segments that it is rendered in. */
export function createPlanComposition({ artifacts, cache }: PlanCompositionDeps) {
  return async function planComposition(input: PlanCompositionInput): Promise<PlanCompositionResult> {
    const { pictures, voices, captions, options } = input;
    const { aspectRatio, resolution, transition, motion, music } = options;
    const inputs = {
      ...{ pictures, voices, captions },
      options: { aspectRatio, resolution, transition, motion, music, captions: options.captions },
    };
    return withHeartbeat('segments', 0, async ({ signal }) => {
      const { value, cached } = await cache.through<Omit<PlanCompositionResult, 'cached'>>(
        { activity: 'plan_composition', version, inputs },
        async () => {
          const readAll = <T>(ids: ArtifactId[]) => Promise.all(ids.map((id) => artifacts.readJson<T>(id)));
          const composition = composeVideo({
            pictures: await readAll<PictureDocument>(pictures),
            voices: await readAll<VoiceDocument>(voices),
            timing: await artifacts.readJson<CaptionDocument>(captions),
            options,
          });
          const id = await artifacts.publishJson(composition);
          const segmentFrames = unitFrames(composition).map((units) =>
            units.reduce((sum, count) => sum + count, 0),
          );
          const frames = segmentFrames.reduce((sum, count) => sum + count, 0);
          return {
            value: { composition: id, segmentFrames, durationSeconds: frames / composition.fps },
            artifacts: [id],
          };
        },
        signal,
      );
      return { ...value, cached };
    });
  };
}

export interface ComposeVideoInput {
  pictures: PictureDocument[];
  voices: VoiceDocument[];
  timing: CaptionDocument;
  options: Pick<
    ExplainerOptions,
    'aspectRatio' | 'resolution' | 'transition' | 'motion' | 'music' | 'captions'
  >;
}

/**
 * One segment a scene, on the timeline that the captions step laid out.
 * @throws ApplicationFailure `scenes_missing` unless every scene has a picture and a voice.
 */
export function composeVideo({ pictures, voices, timing, options }: ComposeVideoInput): Composition {
  const { fps, totalFrames, scenes, cues } = timing;
  const { mode, style } = options.captions;
  return {
    ...frameSize(options.aspectRatio, options.resolution),
    fps,
    segments: scenes.map((scene, index) => {
      const picture = pictures[index];
      const voice = voices[index];
      if (!picture || !voice || pictures.length !== scenes.length || voices.length !== scenes.length) {
        throw invalidInput({
          code: 'scenes_missing',
          detail: `${scenes.length} scenes need as many pictures (${pictures.length}) and voices (${voices.length}).`,
        });
      }
      return {
        startFrame: scene.startFrame,
        frames: scene.frames,
        layers: layersOf(picture, voice, scene, fps, options.motion),
        transitionIn: {
          kind: scene.transitionInFrames > 0 ? options.transition : 'cut',
          frames: scene.transitionInFrames,
        },
      };
    }),
    captions: mode === 'burned' || mode === 'both' ? { style, cues } : null,
    audio: planAudio({ scenes, voices, totalFrames, fps, music: options.music }),
  };
}

function layersOf(
  picture: PictureDocument,
  voice: VoiceDocument,
  scene: SceneTiming,
  fps: number,
  motion: ExplainerOptions['motion'],
): Layer[] {
  const background: Layer = {
    artifact: picture.background,
    fit: 'cover',
    // From the picture's own hash, so that a scene keeps its motion when others come or go.
    motion: {
      kind: motion,
      seed: motion === 'none' ? 0 : Number.parseInt(picture.background.slice(0, 7), 16) || 0,
    },
    position: { x: 0, y: 0 },
    inFrame: 0,
    fadeInFrames: 0,
  };
  const voiceStart = scene.voiceStartSample / samplesPerFrame(fps) - scene.startFrame;
  const overlays = picture.overlays.map(({ artifact, x, y, appearAtWord }): Layer => {
    const word = appearAtWord === null ? undefined : voice.words[appearAtWord];
    const still = { kind: 'none' as const, seed: 0 };
    const shared = { artifact, fit: 'none' as const, motion: still, position: { x, y } };
    if (!word) return { ...shared, inFrame: 0, fadeInFrames: 0 };
    const inFrame = Math.max(0, Math.round(voiceStart + word.startSeconds * fps));
    return { ...shared, inFrame, fadeInFrames: overlayFadeFrames };
  });
  return [background, ...overlays];
}
