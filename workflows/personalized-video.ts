import { CancellationScope } from '@temporalio/workflow';
import { lipsync, media, orchestration, tts } from './activity-proxies.js';
import type { ArtifactId } from './contract/documents.js';
import type { MoveMouthResult, PersonalizedVideoInput, RecipientOutcome } from './contract/personalized.js';
import { isEngineFailure, toJobError } from './job-failure.js';

/**
 * One recipient of a batch: words, mouth, file, delivery. A recipient that fails ends as failed, costs nothing and
 * leaves the others alone; a cancelled one is left to its batch's last word.
 */
export async function personalizedVideo(input: PersonalizedVideoInput): Promise<RecipientOutcome> {
  const { jobId, userId, position, prepared, options } = input;
  const about = { jobId, userId, position };
  const earlier = await orchestration.startRecipient(about);
  if (earlier !== null) return earlier;
  let step = 'voices';
  try {
    const { voices } = await tts.speakRecipient({ ...about, prepared, options });
    step = 'lip_sync';
    const mouths = await moveMouths(input, voices);
    step = 'rendering';
    const clips = mouths.map(({ clip }) => clip);
    const file = await media.renderRecipient({ ...about, prepared, voices, clips, options });
    step = 'delivery';
    const message = mouths.find((mouth) => mouth.message !== null)?.message ?? null;
    const { durationSeconds, bytes } = file;
    // A cancel that comes now is too late: the file is there.
    return await CancellationScope.nonCancellable(() =>
      orchestration.endRecipient({
        ...about,
        outcome: { status: 'delivered', file: file.file, durationSeconds, bytes, message },
      }),
    );
  } catch (error) {
    if (!isEngineFailure(error) || CancellationScope.current().consideredCancelled) throw error;
    return orchestration.endRecipient({
      ...about,
      outcome: { status: 'failed', error: toJobError(error, step) },
    });
  }
}

/** One clip a span where pictures change; none where the base's are copied. */
function moveMouths(
  { jobId, userId, position, prepared, options, spanCount }: PersonalizedVideoInput,
  voices: readonly ArtifactId[],
): Promise<MoveMouthResult[]> {
  if (options.insertMode === 'silver' || options.insertMode === 'gold') return Promise.resolve([]);
  const spans = Array.from({ length: spanCount }, (_, spanIndex) => spanIndex);
  return Promise.all(
    spans.map((spanIndex) =>
      lipsync.moveMouth({
        ...{ jobId, userId, position, prepared, spanIndex, options },
        voices: [...voices],
      }),
    ),
  );
}
