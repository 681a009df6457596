import { ApplicationFailure } from '@temporalio/common';
import type { NamedArtifact, PictureDocument, VoiceDocument } from '../../workflows/contract/documents.js';
import type { ArtifactStore } from '../artifacts.js';

/** Documents that are read at once: a long video has two hundred, and each may be a journey to storage. */
const readsAtOnce = 16;

type Documents = Pick<ArtifactStore, 'readJson'>;

/** Attempts that wait for a storage that is away, some seconds in all. */
const patientAttempts = 4;
/** Longest wait for it after those: a storage may also be silent, and an attempt ends after 30 s. */
const lastWaitMs = 10_000;

/**
 * {@link namesOfParts}, or none: neither a document that is gone for good nor a storage that stays away keeps a job
 * from its last word. Its documents are listed in any case.
 */
export async function partsInTime(
  artifacts: Documents,
  named: readonly NamedArtifact[],
  attempt: number,
): Promise<NamedArtifact[]> {
  const parts = namesOfParts(artifacts, named);
  if (attempt > patientAttempts) return orNone(parts);
  return parts.catch((error: unknown) => {
    if (error instanceof ApplicationFailure && error.nonRetryable === true) return [];
    throw error;
  });
}

async function orNone(parts: Promise<NamedArtifact[]>): Promise<NamedArtifact[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<NamedArtifact[]>((resolve) => {
    timer = setTimeout(resolve, lastWaitMs, []);
  });
  try {
    return await Promise.race([parts.catch(() => []), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The files behind the documents of a job's scenes, so that its user can open a picture or hear a voice and not only
 * hand its document on: `scene-001-picture.json` brings `scene-001-image.png`, a voice its `…-audio.wav`.
 */
async function namesOfParts(artifacts: Documents, named: readonly NamedArtifact[]): Promise<NamedArtifact[]> {
  const parts: NamedArtifact[] = [];
  for (let from = 0; from < named.length; from += readsAtOnce) {
    const some = named.slice(from, from + readsAtOnce);
    parts.push(...(await Promise.all(some.map((one) => partsOf(artifacts, one)))).flat());
  }
  return parts;
}

async function partsOf(
  artifacts: Pick<ArtifactStore, 'readJson'>,
  { kind, name, artifact }: NamedArtifact,
): Promise<NamedArtifact[]> {
  if (kind === 'picture') {
    const { background, overlays } = await artifacts.readJson<PictureDocument>(artifact);
    return [
      part(name, kind, 'image', background),
      ...overlays.map((overlay, index) =>
        part(name, kind, `overlay-${index + 1}`, overlay.artifact, 'overlay'),
      ),
    ];
  }
  if (kind === 'voice') {
    const { audio } = await artifacts.readJson<VoiceDocument>(artifact);
    return [part(name, kind, 'audio', audio)];
  }
  return [];
}

function part(document: string, from: string, to: string, artifact: string, kind = to): NamedArtifact {
  const stem = document.slice(0, document.lastIndexOf('.')).replace(new RegExp(`${from}$`), to);
  return { kind, name: `${stem}${artifact.slice(artifact.lastIndexOf('.'))}`, artifact };
}
