import { randomUUID } from 'node:crypto';
import type { ExplainerOptions } from '../../workflows/contract/options.js';
import { article } from './article.js';
import { createDirectJobs } from './direct-job.js';
import { untilCompleted, type RestClient } from './rest.js';

/** Wall seconds of the runs, in their order. */
export interface WholeJobFigures {
  /** POST to completed, all steps done anew. */
  cold: number[];
  /** The same activities called directly, interleaved with the cold jobs. */
  direct: number[];
  /** The same request again. */
  unchanged: number[];
  /** One of the ten scenes gets a new narration. */
  edited: number[];
}

const sceneCount = 10;
const options: ExplainerOptions = {
  language: 'en',
  sceneCount,
  aspectRatio: '16:9',
  resolution: '1080p',
  theme: 'midnight',
  voice: { provider: 'espeak', voiceId: null, speed: 1 },
  captions: { mode: 'burned', style: 'classic' },
  music: { builtin: 'calm', volumeDb: 0 },
  images: { provider: 'slides' },
  transition: 'fade',
  motion: 'kenburns',
  review: null,
};

export async function benchWholeJobs(
  client: RestClient,
  databaseUrl: string,
  pairs: number,
): Promise<WholeJobFigures> {
  const figures: WholeJobFigures = { cold: [], direct: [], unchanged: [], edited: [] };
  const direct = await createDirectJobs(databaseUrl);
  try {
    for (let pair = 0; pair < pairs; pair++) {
      const source = article(sceneCount, randomUUID().slice(0, 4));
      figures.direct.push(await direct.run(source, options));
      const cold = await timed(figures.cold, client, () => client.post('/videos/generate', request(source)));
      await timed(figures.unchanged, client, () => client.post('/videos/generate', request(source)));
      await timed(figures.edited, client, () =>
        client.patch(`/videos/${cold.result?.videoId ?? ''}/scenes/5`, {
          narration: `This sentence is number ${String(pair)} of its kind, and it takes the place of another.`,
        }),
      );
    }
  } finally {
    await direct.close();
  }
  return figures;
}

/** The request that the API turns into these options. */
const request = (source: string) => ({
  source,
  ...{ sceneCount, aspectRatio: '16:9', resolution: '1080p', theme: 'midnight', language: 'en' },
  ...{ captions: options.captions, music: { builtin: 'calm' }, transition: 'fade', motion: 'kenburns' },
});

async function timed(into: number[], client: RestClient, submit: () => ReturnType<RestClient['post']>) {
  const startedAt = performance.now();
  const { id } = await submit();
  const job = await untilCompleted(client, id);
  into.push((performance.now() - startedAt) / 1000);
  return job;
}
