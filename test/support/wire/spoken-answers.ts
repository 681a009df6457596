import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEspeakVoice } from '../../../activities/tts/espeak.js';
import { type SpokenText, voiceRate } from '../../../activities/tts/voice.js';
import { encodeWav } from '../../../activities/tts/wav.js';
import { runProgram } from '../run-program.js';

/** What doubles of speech services say, and when: espeak, with a pause of 0.4 s wherever the text has an ellipsis. */
export interface DoubleVoice {
  speak(text: string): Promise<SpokenText>;
  wav(text: string): Promise<Buffer>;
  mp3(text: string): Promise<Buffer>;
  close(): void;
}

const pauseSeconds = 0.4;

export function createDoubleVoice(): DoubleVoice {
  const espeak = createEspeakVoice();
  const never = new AbortController().signal;

  async function speak(text: string): Promise<SpokenText> {
    const parts: Int16Array[] = [];
    const spoken: SpokenText = { pcm: new Int16Array(0), words: [], phonemes: [] };
    let samples = 0;
    let charStart = 0;
    for (const piece of text.split('…')) {
      const said = await espeak.speak({ text: piece, language: 'en', voiceId: null, speed: 1 }, never);
      const at = samples / voiceRate;
      for (const word of said.words) {
        spoken.words.push({
          ...word,
          startSeconds: word.startSeconds + at,
          endSeconds: word.endSeconds + at,
          charStart: word.charStart + charStart,
          charEnd: word.charEnd + charStart,
        });
      }
      const pause = new Int16Array(pauseSeconds * voiceRate);
      parts.push(said.pcm, pause);
      samples += said.pcm.length + pause.length;
      charStart += piece.length + 1;
    }
    spoken.pcm = new Int16Array(samples);
    let at = 0;
    for (const part of parts) {
      spoken.pcm.set(part, at);
      at += part.length;
    }
    return spoken;
  }

  async function wav(text: string): Promise<Buffer> {
    return encodeWav((await speak(text)).pcm, voiceRate);
  }

  return {
    speak,
    wav,
    async mp3(text) {
      const dir = await mkdtemp(join(tmpdir(), 'callsheet-mp3-'));
      try {
        await writeFile(join(dir, 'speech.wav'), await wav(text));
        const quality = ['-ar', '44100', '-b:a', '128k'];
        await runProgram('ffmpeg', [
          '-v',
          'error',
          '-i',
          join(dir, 'speech.wav'),
          ...quality,
          join(dir, 'speech.mp3'),
        ]);
        return await readFile(join(dir, 'speech.mp3'));
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
    close: () => {
      espeak.close();
    },
  };
}
