import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { invalidInput, transientFailure } from '../../activities/failures.js';
import { partsInTime } from '../../activities/orchestration/name-parts.js';

const named = [{ kind: 'voice', name: 'scene-001-voice.json', artifact: 'voice.json' }];
const parts = [{ kind: 'audio', name: 'scene-001-audio.wav', artifact: 'a.wav' }];

const there = { readJson: <T>() => Promise.resolve({ audio: 'a.wav' } as T) };
const silent = { readJson: () => new Promise<never>(() => undefined) };
const failing = (error: Error) => ({ readJson: () => Promise.reject(error) });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it.each([1, 4, 5, 99])('what stands in documents is named on attempt %i', async (attempt) => {
  expect(await partsInTime(there, named, attempt)).toEqual(parts);
});

it('a storage that is away is waited for on the first attempts, and no longer', async () => {
  const away = transientFailure({ code: 'storage_unavailable', detail: 'Away.' });
  await expect(partsInTime(failing(away), named, 4)).rejects.toBe(away);
  expect(await partsInTime(failing(away), named, 5)).toEqual([]);
});

it('a document that is gone is not waited for', async () => {
  const gone = invalidInput({ code: 'artifact_missing', detail: 'Gone.' });
  expect(await partsInTime(failing(gone), named, 1)).toEqual([]);
});

it('a storage that is silent takes ten seconds of a late attempt', async () => {
  const late = partsInTime(silent, named, 5);
  let isOver = false;
  void late.then(() => (isOver = true));
  await vi.advanceTimersByTimeAsync(9_999);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(await late).toEqual([]);
});
