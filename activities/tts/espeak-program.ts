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

const { eSpeakNGWorker } = await load();
const speech = new eSpeakNGWorker();

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as EspeakRequest;
  process.stdout.write(`${JSON.stringify(speak(request))}\n`);
}
process.exit(0);

function speak(request: EspeakRequest): EspeakAnswer {
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
