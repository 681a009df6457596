import { join } from 'node:path';
import type { OpenBaseInput, OpenBaseResult, OpenedBase } from '../../../workflows/contract/personalized.js';
import type { ArtifactStore } from '../../artifacts.js';
import type { GenerationCache } from '../../cached.js';
import { invalidInput } from '../../failures.js';
import { withHeartbeat } from '../../heartbeat.js';
import { withScratch } from '../../scratch.js';
import type { MediaProbe, StreamProbe } from '../ffmpeg/media-probe.js';
import { probe, runFfmpeg, type FfmpegTools } from '../ffmpeg/run.js';
import { readMovie, type Movie, type Track } from '../mp4/movie.js';
import { baseAudioBitRate, openArguments, soundArguments, type OpenCommand } from './base-commands.js';
import { nearestRate, rateOf } from './frame-rates.js';
import { openWav } from './wav-window.js';

export interface PersonalizeDeps {
  artifacts: Pick<ArtifactStore, 'fetch' | 'publishFile' | 'publishJson' | 'readJson' | 'readBytes'>;
  cache: GenerationCache;
  scratchDir: string;
  tools: FfmpegTools;
}

const version = 2;
const step = 'preparation';
/** An hour of picture that has to be encoded takes a while. */
const timeoutMs = 3 * 3600 * 1000;

/**
 * Brings a user's base into the form that is spliced: an MP4 with H.264 (or HEVC, where the pictures stay as they
 * are) and AAC-LC. What fits already is copied, not encoded.
 * @throws ApplicationFailure `base_without_picture`, `base_without_sound`, `base_not_convertible`,
 *   `base_unreadable`
 */
export function createOpenBase(deps: PersonalizeDeps) {
  return async function openBase({ base, options }: OpenBaseInput): Promise<OpenBaseResult> {
    return withHeartbeat(step, 0, async ({ signal, report }) => {
      const { convert } = options;
      const isSilver = options.insertMode === 'silver';
      // Pictures that will change are encoded with the spans' borders later, which needs no form of before.
      const needsH264 = !isSilver && options.insertMode !== 'gold';
      const { value, cached } = await deps.cache.through<Omit<OpenBaseResult, 'cached'>>(
        { activity: 'openBase', version, inputs: { base, convert, isSilver, needsH264 } },
        () =>
          withScratch(deps.scratchDir, async (dir) => {
            const source = await deps.artifacts.fetch(base);
            const facts = await probe(deps.tools, source, { signal });
            const { command, message } = planOpening(facts, { convert, isSilver });
            const target = join(dir, 'base.mp4');
            const seconds = facts.durationSeconds ?? 1;
            await runFfmpeg(deps.tools, {
              args: openArguments({ source, target, ...command }),
              timeoutMs,
              signal,
              onProgress: (progress) => {
                report(Math.min(0.9, progress.seconds / seconds));
              },
            });
            const wav = join(dir, 'sound.wav');
            await runFfmpeg(deps.tools, { args: soundArguments(target, wav), timeoutMs, signal });
            const sound = await openWav(wav);
            const { sampleRate, channels, samples } = sound;
            await sound.close();
            const movie = await readMovie(target);
            const made = await probe(deps.tools, target, { signal });
            const [video, soundId] = [
              isSilver ? null : await deps.artifacts.publishFile(target, 'mp4'),
              await deps.artifacts.publishFile(wav, 'wav'),
            ];
            const document: OpenedBase = {
              ...{ video, sound: soundId, sampleRate, channels, samples, message },
              ...pictureFacts(movie, made),
              ...startsOf(made),
              audioBitRate: audioBitRate(movie, command.sound),
            };
            const opened = await deps.artifacts.publishJson(document);
            const artifacts = [opened, soundId, ...(video === null ? [] : [video])];
            return { value: { opened, message }, artifacts };
          }),
        signal,
      );
      return { ...value, cached };
    });
  };
}

/** What is copied and what is encoded. Pure. @throws as {@link createOpenBase} */
export function planOpening(
  facts: MediaProbe,
  { convert, isSilver }: { convert: boolean; isSilver: boolean },
): { command: Pick<OpenCommand, 'picture' | 'sound'>; message: string | null } {
  const audio = facts.streams.find(({ kind }) => kind === 'audio');
  const video = facts.streams.find(({ kind }) => kind === 'video');
  if (audio === undefined) throw refuse('base_without_sound', 'The base has no sound to replace words in.');
  const sound = isSpliceable(audio)
    ? 'copy'
    : { channels: audio.channels === 1 ? (1 as const) : (2 as const) };
  if (isSilver) return { command: { picture: 'none', sound }, message: null };
  if (video === undefined) {
    throw refuse('base_without_picture', 'The base has no picture; insertMode silver needs none.');
  }
  if (video.codec === 'h264' || video.codec === 'hevc') {
    const message = sound === 'copy' ? null : 'the sound of the base was converted to AAC';
    return { command: { picture: 'copy', sound }, message };
  }
  const what = `${video.codec ?? 'an unknown codec'} in ${facts.formatName.split(',')[0] ?? 'an unknown form'}`;
  if (!convert) {
    const detail = `The base is ${what}, not MP4 with H.264; send convertMov: true to have it converted.`;
    throw refuse('base_not_convertible', detail);
  }
  const frameRate = nearestRate(video.averageFrameRate ?? video.frameRate ?? 30);
  return { command: { picture: { frameRate }, sound }, message: `the base was converted from ${what}` };
}

/** AAC-LC in mono or stereo, at a rate that speech needs. */
function isSpliceable({ codec, profile, channels, sampleRate }: StreamProbe): boolean {
  const isStereo = channels === 1 || channels === 2;
  return codec === 'aac' && profile === 'LC' && isStereo && sampleRate !== null && sampleRate >= 22_050;
}

function pictureFacts(movie: Movie, { streams }: MediaProbe) {
  const track = trackOf(movie, 'video');
  const facts = streams.find(({ kind }) => kind === 'video');
  if (track === undefined) {
    return { width: 0, height: 0, frames: 0, frameRate: { numerator: 30, denominator: 1 } };
  }
  const { width, height } = { width: facts?.width ?? 0, height: facts?.height ?? 0 };
  return { width, height, frames: track.samples.length, frameRate: rateOf(track) };
}

/** When a file's sound and picture begin, on the clock by which it is played. */
export function startsOf({
  streams,
}: MediaProbe): Pick<OpenedBase, 'soundStartSeconds' | 'pictureStartSeconds'> {
  const startOf = (kind: StreamProbe['kind']) =>
    streams.find((stream) => stream.kind === kind)?.startSeconds ?? 0;
  return { soundStartSeconds: startOf('audio'), pictureStartSeconds: startOf('video') };
}

export function trackOf(movie: Movie, kind: Track['kind']): Track | undefined {
  return movie.tracks.find((track) => track.kind === kind);
}

/** As the base's own, within what speech deserves and does not waste. */
function audioBitRate(movie: Movie, sound: OpenCommand['sound']): number {
  if (sound !== 'copy') return sound.channels === 1 ? baseAudioBitRate.mono : baseAudioBitRate.stereo;
  const track = trackOf(movie, 'audio');
  if (track === undefined) return baseAudioBitRate.stereo;
  const bytes = track.samples.reduce((sum, sample) => sum + sample.bytes, 0);
  const rate = (bytes * 8 * track.timescale) / Math.max(1, track.duration);
  return Math.round(Math.min(256_000, Math.max(96_000, rate)));
}

function refuse(code: string, detail: string) {
  return invalidInput({ code, detail });
}
