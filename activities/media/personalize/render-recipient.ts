import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactId, VoiceDocument } from '../../../workflows/contract/documents.js';
import type {
  PreparedBase,
  RenderRecipientInput,
  RenderRecipientResult,
} from '../../../workflows/contract/personalized.js';
import { transientFailure } from '../../failures.js';
import { withHeartbeat } from '../../heartbeat.js';
import { withScratch } from '../../scratch.js';
import { avcConfiguration, readMovie, type Movie, type Track } from '../mp4/movie.js';
import { spliceMovie } from '../mp4/splice.js';
import type { Replacement } from '../mp4/track-edits.js';
import type { PersonalizeDeps } from './open-base.js';
import { soundEdits, type RecipientSound } from './recipient-sound.js';
import { encodeMp3 } from './encode-mp3.js';
import { spliceSound, type SoundEdit } from './splice-sound.js';
import { openWav } from './wav-window.js';

const version = 2;

/**
 * One recipient's file. Of a video only what changes is encoded: some frames of sound, and the clips that were made
 * of its pictures; all else is copied. `silver` is an MP3 of the whole sound.
 * @throws ApplicationFailure `words_too_long`, `recipient_broken`
 */
export function createRenderRecipient(deps: PersonalizeDeps) {
  return async function renderRecipient(input: RenderRecipientInput): Promise<RenderRecipientResult> {
    return withHeartbeat('recipients', input.position, async ({ signal }) => {
      const { prepared: preparedId, voices, clips, options } = input;
      const { insertMode, naturalSpeed, gapSeconds } = options;
      const inputs = { preparedId, voices, clips, insertMode, naturalSpeed, gapSeconds };
      const { value, cached } = await deps.cache.through<Omit<RenderRecipientResult, 'cached'>>(
        { activity: 'renderRecipient', version, inputs },
        () =>
          withScratch(deps.scratchDir, async (dir) => {
            const prepared = await deps.artifacts.readJson<PreparedBase>(preparedId);
            const spoken = await Promise.all(voices.map((id) => deps.artifacts.readJson<VoiceDocument>(id)));
            const sound = await openWav(await deps.artifacts.fetch(prepared.sound));
            try {
              const recipient: RecipientSound = { prepared, options, voices: spoken, sound, signal };
              const edits = await soundEdits(deps, recipient);
              const seconds = (prepared.samples + growthOf(edits, prepared.channels)) / prepared.sampleRate;
              const file =
                prepared.video === null
                  ? await soundAlone(deps, { dir, recipient, edits })
                  : await spliced(deps, { dir, recipient, edits, clips, video: prepared.video });
              const { size } = await stat(file.path);
              signal.throwIfAborted();
              const id = await deps.artifacts.publishFile(file.path, file.extension, file.facts);
              return { value: { file: id, durationSeconds: seconds, bytes: size }, artifacts: [id] };
            } finally {
              await sound.close();
            }
          }),
        signal,
      );
      return { ...value, cached };
    });
  };
}

interface Rendering {
  dir: string;
  recipient: RecipientSound;
  edits: SoundEdit[];
}

async function soundAlone(deps: PersonalizeDeps, { dir, recipient, edits }: Rendering) {
  const path = join(dir, 'sound.mp3');
  await encodeMp3(deps.tools, { sound: recipient.sound, edits, target: path, signal: recipient.signal });
  return { path, extension: 'mp3', facts: { isSpare: true } };
}

async function spliced(
  deps: PersonalizeDeps,
  {
    dir,
    recipient,
    edits,
    clips,
    video,
  }: Rendering & { clips: readonly (ArtifactId | null)[]; video: ArtifactId },
) {
  const { prepared, sound, signal } = recipient;
  const base = await deps.artifacts.fetch(video);
  const movie = await readMovie(base);
  const bitsPerSecond = prepared.audioBitRate;
  const replacements = [
    ...(await spliceSound(deps.tools, { path: base, movie, sound, bitsPerSecond, edits, signal })),
    ...(await pictureReplacements(deps, { movie, prepared, clips })),
  ];
  const path = join(dir, 'video.mp4');
  const sha256 = await spliceMovie({ base, movie, target: path }, replacements);
  await checkSplice(path, { movie, replacements, prepared });
  return { path, extension: 'mp4', facts: { sha256, isSpare: true } };
}

/** The clips' pictures in the place of their spans'. */
async function pictureReplacements(
  deps: PersonalizeDeps,
  { movie, prepared, clips }: { movie: Movie; prepared: PreparedBase; clips: readonly (ArtifactId | null)[] },
): Promise<Replacement[]> {
  const track = movie.tracks.find(({ kind }) => kind === 'video');
  const replacements: Replacement[] = [];
  for (const [index, clip] of clips.entries()) {
    const span = prepared.spans[index];
    if (clip === null || span === undefined || track === undefined) continue;
    const path = await deps.artifacts.fetch(clip);
    const made = (await readMovie(path)).tracks.find(({ kind }) => kind === 'video');
    if (made === undefined || made.timescale !== track.timescale || !hasSameForm(made, track)) {
      throw broken('a clip was encoded in another way than the base');
    }
    const file = await open(path, 'r');
    try {
      const samples = [];
      for (const { offset, bytes, ...facts } of made.samples) {
        const data = Buffer.alloc(bytes);
        await file.read(data, 0, bytes, offset);
        samples.push({ ...facts, data });
      }
      replacements.push({ kind: 'video', from: span.startFrame, to: span.endFrame, samples });
    } finally {
      await file.close();
    }
  }
  return replacements;
}

/** Pictures of both can be decoded one after the other. */
function hasSameForm(one: Track, other: Track): boolean {
  return avcConfiguration(one).equals(avcConfiguration(other));
}

/** Reads the index back: every frame is there, and sound and picture end together. */
async function checkSplice(
  path: string,
  {
    movie,
    replacements,
    prepared,
  }: { movie: Movie; replacements: readonly Replacement[]; prepared: PreparedBase },
): Promise<void> {
  const made = await readMovie(path);
  const drift = made.tracks.map((track) => {
    const before = movie.tracks.find(({ kind }) => kind === track.kind);
    if (before === undefined) throw broken('a track is missing');
    const growth = replacements
      .filter(({ kind }) => kind === track.kind)
      .reduce((sum, { from, to, samples }) => sum + samples.length - (to - from), 0);
    if (track.sampleCount !== before.sampleCount + growth) throw broken('frames are missing');
    return (track.duration - before.duration) / track.timescale;
  });
  const { numerator, denominator } = prepared.frameRate;
  if (Math.max(...drift) - Math.min(...drift) > denominator / numerator) {
    throw broken('sound and picture end apart');
  }
}

function growthOf(edits: readonly SoundEdit[], channels: number): number {
  return edits.reduce((sum, { start, end, pcm }) => sum + pcm.length / channels - (end - start), 0);
}

function broken(what: string) {
  return transientFailure({
    code: 'recipient_broken',
    detail: `The recipient's video was not published: ${what}.`,
  });
}
