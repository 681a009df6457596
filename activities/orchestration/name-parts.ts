import type { NamedArtifact, PictureDocument, VoiceDocument } from '../../workflows/contract/documents.js';
import type { ArtifactStore } from '../artifacts.js';

/**
 * The files behind the documents of a stage, so that its user can open a picture or hear a voice and not only
 * hand its document on: `scene-001-picture.json` brings `scene-001-image.png`, a voice its `…-audio.wav`.
 */
export async function namesOfParts(
  artifacts: Pick<ArtifactStore, 'readJson'>,
  named: readonly NamedArtifact[],
): Promise<NamedArtifact[]> {
  const parts: NamedArtifact[] = [];
  for (const { kind, name, artifact } of named) {
    if (kind === 'picture') {
      const { background, overlays } = await artifacts.readJson<PictureDocument>(artifact);
      parts.push(part(name, kind, 'image', background));
      overlays.forEach((overlay, index) => {
        parts.push(part(name, kind, `overlay-${index + 1}`, overlay.artifact, 'overlay'));
      });
    } else if (kind === 'voice') {
      const { audio } = await artifacts.readJson<VoiceDocument>(artifact);
      parts.push(part(name, kind, 'audio', audio));
    }
  }
  return parts;
}

function part(document: string, from: string, to: string, artifact: string, kind = to): NamedArtifact {
  const stem = document.slice(0, document.lastIndexOf('.')).replace(new RegExp(`${from}$`), to);
  return { kind, name: `${stem}${artifact.slice(artifact.lastIndexOf('.'))}`, artifact };
}
