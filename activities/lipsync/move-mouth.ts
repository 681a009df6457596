import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import type { ArtifactId, VoiceDocument } from '../../workflows/contract/documents.js';
import {
  maxMovedSeconds,
  type LipSyncProviderName,
  type MoveMouthInput,
  type MoveMouthResult,
  type PreparedBase,
  type PreparedSpan,
} from '../../workflows/contract/personalized.js';
import { invalidInput } from '../failures.js';
import { withHeartbeat } from '../heartbeat.js';
import { runFfmpeg } from '../media/ffmpeg/run.js';
import { clipArguments, picturesArguments } from '../media/personalize/base-commands.js';
import { secondsOf } from '../media/personalize/frame-rates.js';
import type { PersonalizeDeps } from '../media/personalize/open-base.js';
import { sayWords, timelineOf, type SaidWords } from '../media/personalize/recipient-sound.js';
import { openWav } from '../media/personalize/wav-window.js';
import { withScratch } from '../scratch.js';
import { toInt16 } from '../tts/pcm.js';
import { voiceRate } from '../tts/voice.js';
import type { LipSyncProvider, RawClip, SpeechTimes } from './lip-sync.js';
import { retimeClip } from './retime-clip.js';

export interface LipsyncDeps extends PersonalizeDeps {
  /** Those that are configured here. */
  providers: Partial<Record<LipSyncProviderName, LipSyncProvider>>;
}

const version = 2;
const timeoutMs = 600_000;

/**
 * The pictures of one span of one recipient: as many as the words take, with the mouth saying them, encoded so that
 * they take the place of the base's.
 * @throws ApplicationFailure `lip_sync_no_face` unless the options allow to go on without, `lip_sync_not_configured`,
 *   `words_too_long`, and as the provider
 */
export function createMoveMouth(deps: LipsyncDeps) {
  return async function moveMouth(input: MoveMouthInput): Promise<MoveMouthResult> {
    return withHeartbeat('recipients', input.position, async (pulse) => {
      const { signal, report } = pulse;
      const { prepared: preparedId, spanIndex, voices, options } = input;
      const provider = providerOf(deps, options.lipSync.provider);
      const { fallback, pads } = options.lipSync;
      const { naturalSpeed, gapSeconds, insertMode, language } = options;
      const { value, cached } = await deps.cache.through<Omit<MoveMouthResult, 'cached'>>(
        {
          activity: 'moveMouth',
          version,
          inputs: {
            ...{ preparedId, spanIndex, voices, naturalSpeed, gapSeconds, insertMode, language, fallback },
            ...{ pads, provider: provider.name, providerVersion: provider.version },
          },
        },
        () =>
          withScratch(deps.scratchDir, async (dir) => {
            const work = await readWork(deps, input, signal);
            const original = await decodeSpan(deps, work, dir, signal);
            const isRetimed = work.frames !== original.frames;
            const retimed = isRetimed
              ? await retimeClip(original, work.frames, join(dir, 'retimed.raw'))
              : original;
            const request = {
              ...{
                id: `${input.jobId}:${input.position}:${spanIndex}`,
                clip: retimed,
                pads,
                scratchDir: dir,
              },
              ...{ ...work.speech, outPath: join(dir, 'moved.raw') },
            };
            const order = { resumeFrom: pulse.order, keepReference: pulse.keepOrder };
            try {
              const { clip } = await provider.moveMouth(request, { signal, report, ...order });
              return await encodeClip(deps, work, clip, { dir, signal });
            } catch (error) {
              if (!fallback || !isNoFace(error)) throw error;
              const message = 'no face was found, so the mouth was left as it is';
              // The span's new length still has to be shown.
              if (!isRetimed) return { value: { clip: null, message }, artifacts: [] };
              const encoded = await encodeClip(deps, work, retimed, { dir, signal });
              return { ...encoded, value: { ...encoded.value, message } };
            }
          }),
        signal,
      );
      return { ...value, cached };
    });
  };
}

interface Work {
  prepared: PreparedBase;
  span: PreparedSpan;
  /** Pictures that the span has for this recipient. */
  frames: number;
  speech: { pcm: Int16Array; speech: SpeechTimes };
}

async function readWork(deps: LipsyncDeps, input: MoveMouthInput, signal: AbortSignal): Promise<Work> {
  const { options, spanIndex } = input;
  const prepared = await deps.artifacts.readJson<PreparedBase>(input.prepared);
  const voices = await Promise.all(input.voices.map((id) => deps.artifacts.readJson<VoiceDocument>(id)));
  const [span, voice] = [prepared.spans[spanIndex], voices[spanIndex]];
  const lengths = timelineOf(prepared, options, voices)[spanIndex];
  if (span === undefined || voice === undefined || lengths === undefined)
    throw new Error('there is no such span');
  refuseLong(secondsOf(lengths.frames, prepared.frameRate));
  const sound = await openWav(await deps.artifacts.fetch(prepared.sound));
  try {
    const recipient = { prepared, options, voices, sound, signal };
    const said = await sayWords(deps, recipient, { span, voice, lengths });
    // The words begin with the span, the first picture a little before it.
    const heardAt = prepared.soundStartSeconds + span.startSample / prepared.sampleRate;
    const shownAt = prepared.pictureStartSeconds + secondsOf(span.startFrame, prepared.frameRate);
    const lead = heardAt - shownAt;
    const speech = { ...speechFrom(said, voice, Math.max(0, lead)), language: options.language };
    const pcm = new Int16Array(Math.round(Math.max(0, lead) * voiceRate) + said.spoken.length);
    pcm.set(toInt16(said.spoken), pcm.length - said.spoken.length);
    return { prepared, span, frames: lengths.frames, speech: { pcm, speech } };
  } finally {
    await sound.close();
  }
}

/** Words may take longer than the span that they replace, but their pictures lie decoded on a disk as well. */
function refuseLong(seconds: number): void {
  if (seconds <= 2 * maxMovedSeconds) return;
  throw invalidInput({
    code: 'words_too_long',
    detail: `The words take ${seconds.toFixed(0)} s, and mouths are moved for at most ${2 * maxMovedSeconds} s.`,
  });
}

function speechFrom({ tempo }: SaidWords, { phonemes, words }: VoiceDocument, lead: number) {
  const later = <T extends { startSeconds: number; endSeconds: number }>(timing: T): T => ({
    ...timing,
    startSeconds: timing.startSeconds / tempo + lead,
    endSeconds: timing.endSeconds / tempo + lead,
  });
  return { phonemes: phonemes.map(later), words: words.map(later) };
}

async function decodeSpan(deps: LipsyncDeps, { prepared, span }: Work, dir: string, signal: AbortSignal) {
  const { width, height, frameRate, video } = prepared;
  if (video === null) throw new Error('a base without pictures has no mouth');
  const frames = span.endFrame - span.startFrame;
  const path = join(dir, 'span.raw');
  const source = await deps.artifacts.fetch(video);
  await runFfmpeg(deps.tools, {
    args: picturesArguments({ source, target: path, from: span.startFrame, frames, frameRate }),
    timeoutMs,
    signal,
  });
  return { path, width, height, frames, frameRate } satisfies RawClip;
}

async function encodeClip(
  deps: LipsyncDeps,
  { prepared }: Work,
  clip: RawClip,
  { dir, signal }: { dir: string; signal: AbortSignal },
) {
  if (prepared.pictureForm === null) throw new Error('the base was not prepared for other pictures');
  const { width, height, frameRate, path: source } = clip;
  const target = join(dir, 'clip.mp4');
  await runFfmpeg(deps.tools, {
    args: clipArguments({ source, target, width, height, frameRate, form: prepared.pictureForm }),
    timeoutMs,
    signal,
  });
  const id: ArtifactId = await deps.artifacts.publishFile(target, 'mp4');
  return { value: { clip: id, message: null as string | null }, artifacts: [id] };
}

export function providerOf(deps: Pick<LipsyncDeps, 'providers'>, name: LipSyncProviderName): LipSyncProvider {
  const provider = deps.providers[name];
  if (provider !== undefined) return provider;
  throw invalidInput({
    code: 'lip_sync_not_configured',
    detail: `Lip-sync by ${name} is not configured here.`,
  });
}

function isNoFace(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === 'lip_sync_no_face';
}
