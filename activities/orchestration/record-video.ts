import { HoldReleased } from '../../db/credits.js';
import { deliverVideo } from '../../db/video-records.js';
import type { ScriptDocument } from '../../workflows/contract/documents.js';
import type { RecordVideoInput, RecordVideoResult } from '../../workflows/contract/explainer.js';
import { invalidInput } from '../failures.js';
import type { OrchestrationDeps } from './orchestration-deps.js';

/** Said of what no retry mends: tried again it would be tried for a week. */
const refusals = {
  job_missing: 'The job is no longer there.',
  job_over: 'The job ended before its video was there.',
  video_gone: 'The video was deleted while it was edited.',
  hold_released: 'The credits for this video were given back before it was delivered.',
};

/** Delivers the video: the gallery's row of a new one, or an edited one in place of what stood. */
export async function recordVideo(
  { db, artifacts }: OrchestrationDeps,
  input: RecordVideoInput,
): Promise<RecordVideoResult> {
  const { assembled, captions, thumbnail, videoId } = input;
  const script = await artifacts.readJson<ScriptDocument>(input.script);
  const delivery = await deliverVideo(db, input, {
    videoId,
    artifacts: input.artifacts,
    facts: {
      title: script.title,
      description: script.description,
      duration_seconds: assembled.durationSeconds,
      width: assembled.width,
      height: assembled.height,
      bytes: assembled.bytes,
      video_artifact: assembled.video,
      thumbnail_artifact: thumbnail,
      vtt_artifact: captions.vtt,
      srt_artifact: captions.srt,
      ass_artifact: captions.ass,
      language: script.language,
      scenes: JSON.stringify(script.scenes),
    },
  }).catch((error: unknown) => {
    if (error instanceof HoldReleased) return { outcome: 'hold_released' as const };
    throw error;
  });
  if (delivery.outcome === 'delivered') return { videoId: delivery.videoId };
  throw invalidInput({ code: delivery.outcome, detail: refusals[delivery.outcome] });
}
