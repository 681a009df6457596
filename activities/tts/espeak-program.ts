/**
 * A program of its own: reads requests from standard input, speaks them one by one, writes answers to standard
 * output. It is the only file that loads espeak-ng, whose licence is the GPL, and shares no code or memory with
 * the rest; only text and samples cross the pipe.
 */
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import load, { type SpeechEvent } from '@echogarden/espeak-ng-emscripten';
import type { EspeakAnswer, EspeakEvent, EspeakRequest } from './espeak-protocol.js';

/** No sentence of ours is longer; what is beyond is a fault that must not fill the memory. */
const maxSeconds = 300;

// The synthesis blocks this thread, so another one notices that the parent is gone.
new Worker(
  `const { workerData } = require('node:worker_threads');
   setInterval(() => { if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL'); }, 500);`,
  { eval: true, workerData: process.ppid },
).unref();

/** Bytes of text that a request may have: far more than a sentence, and as much as the module makes room for. */
const maxTextBytes = 64 * 1024;

const espeak = await load();
const speech = new espeak.eSpeakNGWorker();
const restore = rememberStart();

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as EspeakRequest;
  process.stdout.write(`${JSON.stringify(speak(request))}\n`);
}
process.exit(0);

/**
 * The synthesizer carries the wavering of its pitch, and more, from one sentence into the next, so that the same
 * sentence would sound different by what was said before it, and nobody could know it again by its hash. Its whole
 * state is its memory: each sentence begins with that of a program that has said nothing yet.
 */
function rememberStart(): () => void {
  // The module's JavaScript keeps the place of a buffer for texts, which it makes larger on the second call after
  // one that did not fit. From here on it stays where it is, or it would point into memory that is put back.
  const longest = 'x'.repeat(maxTextBytes + 1024);
  for (let call = 0; call < 3; call += 1) speech.set_voice(longest);
  const start = espeak.HEAPU8.slice();
  return () => {
    // The memory may have grown, and is another array then.
    espeak.HEAPU8.set(start);
    espeak.HEAPU8.fill(0, start.length);
  };
}

function speak(request: EspeakRequest): EspeakAnswer {
  if (Buffer.byteLength(request.text) > maxTextBytes)
    return { id: request.id, error: 'the text is too long' };
  restore();
  if (speech.set_voice(request.voice) !== 0) return { id: request.id, error: 'no such voice' };
  speech.set_rate(request.wordsPerMinute);
  speech.set_pitch(request.pitch);
  speech.set_range(request.pitchRange);
  const rate = speech.get_samplerate();
  const chunks: Buffer[] = [];
  const events: EspeakEvent[] = [];
  let samples = 0;
  speech.synthesize(request.text, (audio, batch) => {
    for (const event of batch) {
      const known = toEvent(event);
      if (known !== undefined) events.push(known);
    }
    if (audio !== null) {
      samples += audio.length;
      chunks.push(Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength));
    }
    return samples > maxSeconds * rate;
  });
  return { id: request.id, rate, pcm: Buffer.concat(chunks).toString('base64'), events };
}

function toEvent(event: SpeechEvent): EspeakEvent | undefined {
  if (event.type !== 'word' && event.type !== 'phoneme') return undefined;
  return {
    type: event.type,
    // The synthesizer counts characters from 1.
    textPosition: event.text_position - 1,
    timeMs: event.audio_position,
    phoneme: event.type === 'phoneme' && typeof event.id === 'string' ? event.id : '',
  };
}
