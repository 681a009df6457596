import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { invalidInput, transientFailure } from '../failures.js';
import { runProgram } from '../media/ffmpeg/program.js';
import { withScratch } from '../scratch.js';
import { finishSpeechFile, type OutsideSpeechDeps } from './outside-speech.js';
import type { NameVoiceProvider } from './recipients/name-voices.js';
import { voiceBadAnswer } from './voice-failures.js';

export interface CommandVoiceOptions extends OutsideSpeechDeps {
  /** Program and arguments; `{lang}` and `{out}` stand for the language and the WAV to write. */
  template: readonly string[];
  /** Longest run. */
  timeoutMs?: number;
  /** Largest file that the program may write. */
  maxBytes?: number;
}

const service = { name: 'The speech command', keyHint: 'the operator has to check TTS_COMMAND' };
const watchMs = 250;

/**
 * Names by any program of this host: the text goes to its standard input, and it writes a WAV. It runs without a shell,
 * in a process group of its own, without our secrets, and ends with whoever waits for it. Its speed is set by stretching
 * what it said.
 *
 * Fails with `voice_unknown`, `language_unsupported` (final), `voice_unavailable`, `voice_timeout`, `voice_bad_answer`.
 */
export function createCommandVoice(options: CommandVoiceOptions): NameVoiceProvider {
  const { template, timeoutMs = 120_000, maxBytes = 128 * 1024 * 1024 } = options;
  // Another command is another voice, also for what the cache knows.
  const voiceId = createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 32);

  async function run(text: string, language: string, out: string, signal: AbortSignal): Promise<void> {
    const [path = '', ...args] = template.map((token) =>
      token.replaceAll('{lang}', language).replaceAll('{out}', out),
    );
    const tooMuch = new AbortController();
    // Nothing else stops a program that writes without end.
    const watch = setInterval(() => {
      void sizeOf(out).then((bytes) => {
        if (bytes > maxBytes) tooMuch.abort(voiceBadAnswer(service));
      });
    }, watchMs);
    try {
      await runProgram({
        ...{ path, args, timeoutMs },
        signal: AbortSignal.any([signal, tooMuch.signal]),
        writeInput: (stdin) => {
          stdin.write(text);
          return Promise.resolve();
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      throw knownFailure(error);
    } finally {
      clearInterval(watch);
    }
  }

  return {
    name: 'command',
    version: 1,
    ready({ choice, language }) {
      if (choice.voiceId !== null) {
        const detail = 'The speech command has no voices to choose from; leave the voice id away.';
        throw invalidInput({ code: 'voice_unknown', detail });
      }
      // It becomes an argument: letters, digits and hyphens, and no hyphen first.
      if (!/^[A-Za-z][A-Za-z0-9-]{0,34}$/.test(language)) {
        throw invalidInput({ code: 'language_unsupported', detail: 'The language is no BCP 47 tag.' });
      }
      return Promise.resolve({
        voiceId,
        speak: (request, signal) =>
          withScratch(options.scratchDir, async (dir) => {
            const out = join(dir, 'speech.wav');
            await run(request.text, request.language, out, signal);
            const bytes = await sizeOf(out);
            if (bytes === 0 || bytes > maxBytes) throw voiceBadAnswer(service);
            const { text, language: said, speed: tempo } = request;
            const speech = { text, language: said, words: undefined, tempo };
            return finishSpeechFile(options, service, out, speech, signal);
          }),
      });
    },
  };
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** The runner speaks of ffmpeg. */
function knownFailure(error: unknown): unknown {
  if (!(error instanceof ApplicationFailure)) return error;
  switch (error.type) {
    case 'ffmpeg_missing':
      return transientFailure({
        code: 'voice_unavailable',
        detail: 'The speech command cannot be started: the operator has to check TTS_COMMAND.',
        cause: error.cause,
      });
    case 'ffmpeg_timeout':
      return transientFailure({
        code: 'voice_timeout',
        detail: 'The speech command did not finish in time.',
      });
    case 'ffmpeg_failed':
      return transientFailure({
        code: 'voice_unavailable',
        detail: 'The speech command failed.',
        cause: error.cause,
      });
    default:
      return error;
  }
}
