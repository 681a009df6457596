import { inspect } from 'node:util';
import { ApplicationFailure } from '@temporalio/common';
import { expect } from 'vitest';
import type { NameVoiceProvider } from '../../activities/tts/recipients/name-voices.js';
import { type SpokenText, voiceRate } from '../../activities/tts/voice.js';
import type { NameVoiceChoice } from '../../workflows/contract/personalized.js';

export const never = new AbortController().signal;

export interface Saying {
  text?: string;
  language?: string;
  userId?: string;
  choice?: Partial<NameVoiceChoice>;
  signal?: AbortSignal;
}

/** Has a provider say a text as the activity does. */
export async function say(provider: NameVoiceProvider, saying: Saying = {}): Promise<SpokenText> {
  const { text = 'Hello Ada Lovelace', language = 'en', userId = 'user', signal = never } = saying;
  const choice: NameVoiceChoice = {
    ...{ provider: provider.name, voiceId: null, modelId: null, speed: 1, credentialId: null, sample: null },
    ...saying.choice,
  };
  const ready = await provider.ready({ userId, choice, language, text }, signal);
  return ready.speak({ text, language, speed: choice.speed }, signal);
}

/** The failure that a text ends with, which holds no secret anywhere. */
export async function failureOf(
  saying: Promise<unknown>,
  secrets: readonly string[] = [],
): Promise<ApplicationFailure> {
  const error: unknown = await saying.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApplicationFailure)) throw new Error(`no failure: ${inspect(error)}`);
  const shown = inspect(error, { depth: 10, showHidden: true });
  for (const secret of secrets) expect(shown).not.toContain(secret);
  return error;
}

/** Speech as the rest of the program expects it: it sounds, at an even level, and its words lie in it in order. */
export function expectSpeech(spoken: SpokenText, words: readonly string[]): void {
  const seconds = spoken.pcm.length / voiceRate;
  expect(seconds).toBeGreaterThan(0.2);
  const power = spoken.pcm.reduce((sum, sample) => sum + (sample / 32_768) ** 2, 0) / spoken.pcm.length;
  expect(10 * Math.log10(power)).toBeGreaterThan(-32);
  expect(spoken.words.map(({ text }) => text)).toEqual(words);
  let reached = 0;
  for (const { startSeconds, endSeconds } of spoken.words) {
    expect(startSeconds).toBeGreaterThanOrEqual(reached - 0.001);
    expect(endSeconds).toBeGreaterThanOrEqual(startSeconds);
    expect(endSeconds).toBeLessThanOrEqual(seconds + 0.001);
    reached = startSeconds;
  }
  // The first word begins with the sound and the last ends with it.
  expect(spoken.words[0]?.startSeconds ?? 0).toBeLessThan(0.15);
  expect(seconds - (spoken.words.at(-1)?.endSeconds ?? 0)).toBeLessThan(0.25);
}
