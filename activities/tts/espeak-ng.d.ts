/** The part of the speech program's module that we call; it comes without types of its own. */
declare module '@echogarden/espeak-ng-emscripten' {
  export interface SpeechEvent {
    type: string;
    text_position: number;
    audio_position: number;
    id: number | string | undefined;
  }
  export interface SpeechWorker {
    /** 0 when the voice was found. */
    set_voice(name: string): number;
    set_rate(wordsPerMinute: number): void;
    set_pitch(pitch: number): void;
    set_range(range: number): void;
    get_samplerate(): number;
    /** Returning true stops the speech. */
    synthesize(text: string, callback: (audio: Int16Array | null, events: SpeechEvent[]) => boolean): void;
  }
  export interface SpeechModule {
    eSpeakNGWorker: new () => SpeechWorker;
    /** All memory of the program; another array once it has grown. */
    HEAPU8: Uint8Array;
  }
  export default function load(): Promise<SpeechModule>;
}
