import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { RecordedSound } from '../mono-sound.js';
import type { SpokenText } from '../voice.js';
import { type AlignedWords, alignWords, createRecording, type Recording } from './align-words.js';
import { createReference, type Reference } from './reference.js';
import { hopSeconds } from './speech-features.js';

/** A thread that aligns, so that the process's event loop stays free for heartbeats. */

/** `hear` begins an alignment anew; each request is answered before the next is sent. */
export type AlignRequest =
  | { kind: 'hear'; sound: RecordedSound }
  | { kind: 'voice'; speech: Pick<SpokenText, 'pcm' | 'words'> }
  | { kind: 'align' };

export type AlignAnswer =
  | { kind: 'heard'; soundingSeconds: number }
  | { kind: 'added' }
  | { kind: 'aligned'; aligned: AlignedWords }
  | { kind: 'failed'; error: unknown };

let recording: Recording | undefined;
let voices: Reference[] = [];

async function answer(request: AlignRequest): Promise<AlignAnswer> {
  switch (request.kind) {
    case 'hear':
      voices = [];
      recording = await createRecording(request.sound);
      return { kind: 'heard', soundingSeconds: recording.sounding.length * hopSeconds };
    case 'voice':
      voices.push(await createReference(request.speech));
      return { kind: 'added' };
    case 'align': {
      if (recording === undefined) throw new Error('nothing was heard');
      const aligned = alignWords(recording, voices);
      recording = undefined;
      voices = [];
      return { kind: 'aligned', aligned };
    }
  }
}

const port = parentPort;
if (port) {
  // On Linux this lowers just the calling thread.
  setPriority(15);
  port.on('message', (request: AlignRequest) => {
    void answer(request)
      .catch((error: unknown): AlignAnswer => ({ kind: 'failed', error }))
      .then((said) => {
        port.postMessage(said);
      });
  });
}
