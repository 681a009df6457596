import { CancellationScope } from '@temporalio/workflow';
import { lipsync, media, orchestration, summarized, tts } from './activity-proxies.js';
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
  const who = recipientOf(position);
  const earlier = await summarized(who, orchestration.startRecipient, about);
  if (earlier !== null) return earlier;
  let step = 'voices';
  try {
    const { voices } = await summarized(who, tts.speakRecipient, { ...about, prepared, options });
    step = 'lip_sync';
    const mouths = await moveMouths(input, voices);
    step = 'rendering';
    const clips = mouths.map(({ clip }) => clip);
    const file = await summarized(who, media.renderRecipient, { ...about, prepared, voices, clips, options });
    step = 'delivery';
    const message = mouths.find((mouth) => mouth.message !== null)?.message ?? null;
    const { durationSeconds, bytes } = file;
    // A cancel that comes now is too late: the file is there.
    return await CancellationScope.nonCancellable(() =>
      summarized(`${who}, delivered`, orchestration.endRecipient, {
        ...about,
        outcome: { status: 'delivered', file: file.file, durationSeconds, bytes, message },
      }),
    );
  } catch (error) {
    if (!isEngineFailure(error) || CancellationScope.current().consideredCancelled) throw error;
    return summarized(`${who}, failed`, orchestration.endRecipient, {
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
      summarized(`${recipientOf(position)}, span ${spanIndex + 1} of ${spanCount}`, lipsync.moveMouth, {
        ...{ jobId, userId, position, prepared, spanIndex, options },
        voices: [...voices],
      }),
    ),
  );
}

/** How operators read of a recipient; counted from 1. */
export const recipientOf = (position: number): string => `recipient ${position + 1}`;
