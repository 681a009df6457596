/** What goes over the pipe to the speech program and back, one JSON object a line. */
export interface EspeakRequest {
  id: number;
  text: string;
  voice: string;
  /** Words a minute, 80–450. */
  wordsPerMinute: number;
  /** 0–100, 50 is the voice's own. */
  pitch: number;
  /** 0–100: how far the pitch moves within a sentence, 50 is the voice's own. */
  pitchRange: number;
}

/** `textPosition` counts code points of the text from 0; times in milliseconds of the audio. */
export interface EspeakEvent {
  type: 'word' | 'phoneme';
  textPosition: number;
  timeMs: number;
  /** IPA, empty for a pause; only in phoneme events. */
  phoneme: string;
}

export type EspeakAnswer =
  { id: number; rate: number; pcm: string; events: EspeakEvent[] } | { id: number; error: string };
