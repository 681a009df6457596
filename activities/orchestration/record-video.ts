import { insertVideoOfJob, replaceVideo } from '../../db/video-records.js';
import type { ScriptDocument } from '../../workflows/contract/documents.js';
import type { RecordVideoInput, RecordVideoResult } from '../../workflows/contract/explainer.js';
import { invalidInput } from '../failures.js';
import type { OrchestrationDeps } from './orchestration-deps.js';

/** Makes the gallery's row of a new video, or shows an edited one in place of what stood. */
export async function recordVideo(
  { db, artifacts }: OrchestrationDeps,
  input: RecordVideoInput,
): Promise<RecordVideoResult> {
  const { assembled, captions, thumbnail, videoId } = input;
  const script = await artifacts.readJson<ScriptDocument>(input.script);
  const facts = {
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
  };
  if (videoId === null) {
    const { title, description } = script;
    const made = await insertVideoOfJob(db, input, { ...facts, title, description });
    // Tried again it would be tried for a week: nothing brings a deleted job back.
    if (made === undefined)
      throw invalidInput({ code: 'job_missing', detail: 'The job is no longer there.' });
    return { videoId: made };
  }
  if (await replaceVideo(db, input, videoId, facts)) return { videoId };
  throw invalidInput({ code: 'video_gone', detail: 'The video was deleted while it was edited.' });
}
