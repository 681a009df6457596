import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../../activities/artifacts.js';
import type { GenerationCache } from '../../activities/cached.js';
import { writeFontconfig } from '../../activities/media/fonts.js';
import type { MediaDeps } from '../../activities/media/activities.js';
import { createDrawPicture } from '../../activities/media/pictures/draw-picture.js';
import { createSlidesProvider } from '../../activities/media/pictures/slides.js';
import { createFontSet } from '../../activities/media/text/font-set.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import { speakNarration } from '../../activities/tts/narration.js';
import type { ArtifactId, ScriptDocument } from '../../workflows/contract/documents.js';
import type { ExplainerOptions } from '../../workflows/contract/options.js';
import { noRecipients } from '../support/no-recipients.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';

const scenes = [
  ['How tides work', 'Twice a day the sea rises and falls on nearly every coast of the whole wide world.'],
  [
    'The pull of the Moon',
    'The Moon pulls the water on the near side a little more strongly than the solid Earth.',
  ],
  [
    'Two bulges',
    'On the far side the water is left a little behind, so there are two bulges instead of one.',
  ],
  [
    'A turning planet',
    'The Earth turns below these two bulges, and each coast passes through both of them in a day.',
  ],
  ['Spring tides', 'When the Sun and the Moon stand in line, their pulls add up and the tide is highest.'],
  ['Neap tides', 'When they stand at a right angle, they work against each other and the tides are low.'],
  [
    'The shape of the coast',
    'Bays and channels gather the water: in the Bay of Fundy it climbs sixteen metres.',
  ],
  [
    'Living by the tide',
    'Crabs, birds and seaweed keep time with the water, without having any clock at all.',
  ],
  [
    'Power from the sea',
    'Turbines in a tidal stream turn as reliably as the Moon itself goes around the Earth.',
  ],
  ['In short', 'Moon, Sun, turning Earth and the shape of the coast together make all the tides we see.'],
] as const;

export const sampleOptions: ExplainerOptions = {
  language: 'en',
  sceneCount: null,
  aspectRatio: '16:9',
  resolution: '1080p',
  theme: 'midnight',
  voice: { provider: 'espeak', voiceId: null, speed: 0.94 },
  captions: { mode: 'burned', style: 'karaoke' },
  music: { builtin: 'calm', volumeDb: 0 },
  images: { provider: 'slides' },
  transition: 'fade',
  motion: 'kenburns',
  review: null,
};

export interface MediaSample {
  deps: Omit<MediaDeps, 'cache'>;
  options: ExplainerOptions;
  script: ArtifactId;
  pictures: ArtifactId[];
  voices: ArtifactId[];
}

/** A designed, spoken explainer, up to the point where the work on moving pictures begins. */
export async function createSample(
  folder: string,
  tools: MediaDeps['tools'],
  { options = sampleOptions, sceneCount = 10 }: { options?: ExplainerOptions; sceneCount?: number } = {},
): Promise<MediaSample> {
  const artifacts: ArtifactStore = await createFolderStore(join(folder, 'artifacts'));
  const cache: GenerationCache = createMemoryCache();
  const fonts = join(folder, 'fonts');
  await mkdir(fonts, { recursive: true });
  const pictureProviders = { slides: createSlidesProvider(createFontSet()) };
  const document: ScriptDocument = {
    title: 'How tides work',
    description: 'Why the sea rises and falls twice a day.',
    language: 'en',
    message: null,
    scenes: Array.from({ length: sceneCount }, (_, index) => {
      const [heading, narration] = scenes[index % scenes.length] ?? scenes[0];
      const words = narration.split(' ');
      const bullets = [words.slice(0, 4).join(' '), words.slice(4, 9).join(' ')];
      return { number: index + 1, heading, narration, bullets, imagePrompt: heading, imageArtifact: null };
    }),
  };
  const script = await artifacts.publishJson(document);
  const voice = createEspeakVoice();
  const drawPicture = createDrawPicture({ artifacts, cache, pictureProviders });
  const pictures: ArtifactId[] = [];
  const voices: ArtifactId[] = [];
  for (const scene of document.scenes) {
    const ids = { jobId: 'bench', userId: 'bench' };
    const drawing = { ...ids, script, sceneNumber: scene.number, sceneCount, options };
    pictures.push((await runActivity(drawPicture, drawing)).picture);
    const narration = { text: scene.narration, language: 'en', voice: options.voice };
    const deps = { artifacts, cache, voices: { espeak: voice } };
    const { value } = await speakNarration(deps, narration, new AbortController().signal, () => undefined);
    voices.push(value.voice);
  }
  return {
    deps: {
      artifacts,
      tools,
      pictureProviders,
      ...noRecipients,
      scratchDir: join(folder, 'scratch'),
      fontconfigFile: await writeFontconfig(fonts),
    },
    ...{ options, script, pictures, voices },
  };
}
