import { invalidInput, transientFailure } from '../failures.js';

/** No picture of a face, nothing to sync; the caller may still deliver the video with its new sound. */
export function noFace() {
  return invalidInput({
    code: 'lip_sync_no_face',
    detail: 'No face was found in the part of the video that is to be lip-synced.',
  });
}

/** The provider answered, and what it made cannot be used. */
export function badLipSyncResult(detail: string, cause?: unknown) {
  return transientFailure({ code: 'lip_sync_bad_result', detail, cause });
}
