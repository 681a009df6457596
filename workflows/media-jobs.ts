import { lipsync as lipsyncPool, media, summarized } from './activity-proxies.js';
import type { ConversionInput, LipsyncInput, MediaJobResult } from './contract/media-jobs.js';
import { counted, runJob } from './job-run.js';
import { conversionPlan, lipsyncPlan } from './step-plan.js';

/** A user's video in another form. */
export async function conversion(input: ConversionInput): Promise<MediaJobResult | null> {
  return runJob(input, conversionPlan, async (run) => {
    const made = await run.step('conversion', () => {
      const { crf, preset, container } = input.options;
      const summary = `to ${container}, ${preset}, crf ${crf}`;
      return counted(run.progress, 'conversion', summarized(summary, media.convertVideo, input));
    });
    return withVideo(made);
  });
}

/** A video whose speaker says something else. */
export async function lipsync(input: LipsyncInput): Promise<MediaJobResult | null> {
  return runJob(input, lipsyncPlan, async (run) => {
    const made = await run.step('lip_sync', () =>
      counted(run.progress, 'lip_sync', summarized(`by ${input.provider}`, lipsyncPool.syncLips, input)),
    );
    return withVideo(made);
  });
}

function withVideo({ video, durationSeconds, width, height, bytes }: MediaJobResult & { video: string }) {
  return {
    result: { durationSeconds, width, height, bytes },
    artifacts: [{ kind: 'video', name: 'video.mp4', artifact: video }],
  };
}
