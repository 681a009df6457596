import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withScratch } from '../scratch.js';
import { drawCaptionStrips, type StripDeps } from './captions/strips.js';
import type { CaptionCue, RenderUnit } from './composition.js';
import type { PictureLoader } from './compositor/picture-loader.js';
import { encodeUnits } from './encode-units.js';
import { encoderName } from './ffmpeg/run.js';
import type { PictureProvider } from './pictures/picture-provider.js';

const size = { width: 320, height: 180 };

const cue: CaptionCue = {
  ...{ startSeconds: 0, endSeconds: 1, speaker: null, lines: [1] },
  words: [{ text: 'Ready', startSeconds: 0, endSeconds: 1 }],
};

/** One black frame: what costs the first job its time is what stands around the drawing. */
const unit: RenderUnit = {
  ...{ ...size, fps: 30, frames: 1, transition: null, captions: null },
  shots: [{ layers: [], sceneFrames: 1, offset: 0 }],
};
const noPictures: PictureLoader = { load: () => Promise.resolve(undefined) };

/**
 * Draws a small slide, a caption and a frame, and encodes it, and throws all of it away. Fonts, compiled code,
 * threads and ffmpeg's pages are in memory afterwards, so the first job does not wait for them.
 * @throws the signal's reason, and whatever drawing or encoding throws.
 */
export async function rehearseMedia(
  deps: StripDeps & { slides: PictureProvider },
  signal: AbortSignal,
): Promise<void> {
  const { tools, scratchDir, slides } = deps;
  const scene = { number: 1, heading: 'Ready', narration: '', bullets: ['Ready'], imagePrompt: '' };
  await slides.draw(
    {
      ...{ ...size, scene: { ...scene, imageArtifact: null }, sceneCount: 1, title: 'Ready', language: 'en' },
      ...{
        theme: 'midnight',
        aspectRatio: '16:9',
        motion: 'kenburns',
        captionsBurned: true,
        imagePath: null,
      },
    },
    signal,
  );
  await encoderName(tools);
  signal.throwIfAborted();
  const strips = await drawCaptionStrips(deps, { ...unit, style: 'classic', cues: [cue] }, signal);
  await withScratch(scratchDir, async (dir) => {
    // By its name one can tell it from a render.
    const rehearsal = join(dir, 'rehearsal');
    await mkdir(rehearsal);
    await encodeUnits({ tools, loader: noPictures, units: [{ unit, strips }], dir: rehearsal, signal });
  });
}
