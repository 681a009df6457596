import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeWav } from '../../activities/tts/wav.js';
import { voiceRate, type SpokenText, type VoiceProvider } from '../../activities/tts/voice.js';
import type { ArtifactStore } from '../../activities/artifacts.js';

const run = promisify(execFile);

export interface TalkingBase {
  path: string;
  spoken: SpokenText;
  /** Times in seconds of the base, of the words that are spoken in it. */
  timeOf(word: string): { startSeconds: number; endSeconds: number };
}

/**
 * A base video whose speaker is a synthesized voice, so that the times of its words are known, in a room that hums
 * softly. Its picture changes with every frame.
 */
export async function makeTalkingBase(
  dir: string,
  options: {
    voice: VoiceProvider;
    text: string;
    voiceId?: string;
    /** ffmpeg's options of the picture's input. */
    picture?: string[];
    encoding?: string[];
    name?: string;
  },
): Promise<TalkingBase> {
  const { voice, text, voiceId = 'en-us+f2', name = 'base.mp4' } = options;
  const request = { text, language: 'en', voiceId, speed: 1 };
  const spoken = await voice.speak(request, new AbortController().signal);
  const wav = join(dir, `${name}.wav`);
  await writeFile(wav, encodeWav(spoken.pcm, voiceRate));
  const lead = 0.6;
  const seconds = lead + spoken.pcm.length / voiceRate + 0.8;
  const path = join(dir, name);
  const picture = options.picture ?? ['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=30'];
  const encoding = options.encoding ?? ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p'];
  await run('ffmpeg', [
    ...['-v', 'error', '-nostdin', '-y', ...picture, '-i', wav],
    ...['-f', 'lavfi', '-i', 'anoisesrc=c=brown:a=0.004:r=48000:seed=3'],
    '-filter_complex',
    `[1:a]adelay=${lead * 1000}:all=1,apad[v];[v][2:a]amix=2:duration=longest:normalize=0,aformat=channel_layouts=stereo[a]`,
    ...[
      '-map',
      '0:v',
      '-map',
      '[a]',
      '-t',
      seconds.toFixed(3),
      ...encoding,
      '-c:a',
      'aac',
      '-b:a',
      '160k',
      path,
    ],
  ]);
  return {
    path,
    spoken,
    timeOf(word) {
      const found = spoken.words.find((timing) => timing.text.replace(/[^\p{L}]/gu, '') === word);
      if (found === undefined) throw new Error(`nobody says ${word}`);
      return { startSeconds: found.startSeconds + lead, endSeconds: found.endSeconds + lead };
    },
  };
}

/** Speaks and publishes, as the activities of the tts pool do. */
export async function publishVoice(
  artifacts: ArtifactStore,
  voice: VoiceProvider,
  text: string,
  voiceId = 'en-us+max',
): Promise<string> {
  const request = { text, language: 'en', voiceId, speed: 1 };
  const { pcm, words, phonemes } = await voice.speak(request, new AbortController().signal);
  const audio = await artifacts.publishBytes(encodeWav(pcm, voiceRate), 'wav');
  return artifacts.publishJson({ audio, samples: pcm.length, words, phonemes });
}
