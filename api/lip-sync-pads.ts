import { z } from '@hono/zod-openapi';
import type { LipSyncProviderName } from '../workflows/contract/personalized.js';
import { refuseField } from './validation.js';

/** Pixels; more than this around a face is no face any more. */
const pad = z.int().min(0).max(500);

export const lipSyncPads = z.tuple([pad, pad, pad, pad]).openapi({
  description:
    'Pixels that Wav2Lip adds around the face that it finds: top, bottom, left, right. Only with `wav2lip`; without it 0, 10, 0, 0.',
  example: [0, 20, 0, 0],
  minItems: 4,
  maxItems: 4,
});

/** @throws ProblemError `validation_failed` */
export function checkPads(
  provider: LipSyncProviderName | undefined,
  pads: readonly number[] | undefined,
): void {
  if (pads !== undefined && provider !== 'wav2lip') throw refuseField('body.pads', 'is for wav2lip only');
}
