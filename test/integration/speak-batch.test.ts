import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ArtifactStore } from '../../activities/artifacts.js';
import { canonicalHash } from '../../activities/canonical-hash.js';
import { transientFailure } from '../../activities/failures.js';
import type { NameVoiceProvider } from '../../activities/tts/recipients/name-voices.js';
import { createSpeakBatch } from '../../activities/tts/recipients/speak-batch.js';
import { createSpeakRecipient } from '../../activities/tts/recipients/speak-recipient.js';
import type { RecipientRow } from '../../db/recipients.js';
import type { VoiceDocument } from '../../workflows/contract/documents.js';
import { batchOptions } from '../workflows/batch-lab.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';
import { createTestFolder } from '../support/services.js';
import { createDoubleVoice } from '../support/wire/spoken-answers.js';

const voice = createDoubleVoice();
const names = ['Ada', 'Grace', 'Maria', 'Ada'];
const ids = { jobId: 'job', userId: 'user' };
const row: Omit<RecipientRow, 'position' | 'name' | 'fields'> = {
  ...{ job_id: 'job', row_number: 2, status: 'pending', file_artifact: null, file_name: null },
  ...{
    duration_seconds: null,
    bytes: null,
    message: null,
    error: null,
    started_at: null,
    completed_at: null,
  },
};
let artifacts: ArtifactStore;
let prepared: string;
/** Texts that the voice was asked for. */
const asked: string[] = [];
let heard: (text: string) => string;

const provider: NameVoiceProvider = {
  name: 'google',
  version: 1,
  ready: () =>
    Promise.resolve({
      voiceId: 'double',
      speak({ text }) {
        asked.push(text);
        if (text.includes('fail')) throw transientFailure({ code: 'voice_unavailable', detail: 'away' });
        return voice.speak(heard(text));
      },
    }),
};

function makeActivities() {
  const cache = createMemoryCache();
  const uses: string[] = [];
  const known = new Set<string>();
  const through: typeof cache.through = async (name, produce, signal) => {
    const result = await cache.through(name, produce, signal);
    known.add(canonicalHash(name));
    return result;
  };
  const recipients = names.map((name, position): RecipientRow => ({
    ...row,
    position,
    name,
    fields: { name },
  }));
  const deps = {
    ...{ artifacts, cache: { through }, nameVoices: { google: provider } },
    readRecipient: (_: string, position: number) => Promise.resolve(recipients[position]),
    listRecipients: (_: string, { from, to }: { from: number; to: number }) =>
      Promise.resolve(recipients.slice(from, to)),
    isCached: (name: object) => Promise.resolve(known.has(canonicalHash(name))),
    noteNameUse: (userId: string, name: object) => {
      uses.push(`${userId} ${canonicalHash(name)}`);
      return Promise.resolve();
    },
  };
  return { batch: createSpeakBatch(deps), single: createSpeakRecipient(deps), uses };
}

const options = batchOptions({
  voice: { provider: 'google', voiceId: null, modelId: null, speed: 1, credentialId: null, sample: null },
});
const input = () => ({ ...ids, prepared, options, from: 0, to: names.length });

beforeAll(async () => {
  const folder = await createTestFolder('batch');
  artifacts = await createFolderStore(join(folder.path, 'artifacts'));
  prepared = await artifacts.publishJson({ spans: [{ text: 'Hello {name}' }] });
});
beforeEach(() => {
  asked.length = 0;
  heard = (text) => text;
});
afterAll(() => {
  voice.close();
});

async function wordsOf(single: ReturnType<typeof makeActivities>['single'], position: number) {
  const { voices, cached } = await runActivity(single, { ...ids, position, prepared, options });
  const document = await artifacts.readJson<VoiceDocument>(voices[0] ?? '');
  return { cached, words: document.words.map(({ text }) => text), samples: document.samples };
}

it('asks once for many names, and each recipient finds its own', async () => {
  const { batch, single, uses } = makeActivities();
  expect(await runActivity(batch, input())).toEqual({ spoken: 3, singly: 0, cached: false });
  expect(asked).toEqual(['Hello Ada … Hello Grace … Hello Maria']);
  for (const [position, name] of names.entries()) {
    const found = await wordsOf(single, position);
    expect(found).toMatchObject({ cached: true, words: ['Hello', name] });
    expect(found.samples).toBeGreaterThan(10_000);
  }
  expect(asked).toHaveLength(1);
  // Of four recipients two share a name, and all are noted as the user's.
  expect(new Set(uses).size).toBe(3);
  expect(await runActivity(batch, input())).toEqual({ spoken: 0, singly: 0, cached: true });
  expect(asked).toHaveLength(1);
});

it('keeps nothing of a split that does not fit, and says those names singly', async () => {
  const { batch, single } = makeActivities();
  heard = (text) => text.replaceAll(' … ', ' and ');
  expect(await runActivity(batch, input())).toEqual({ spoken: 0, singly: 3, cached: false });
  heard = (text) => text;
  for (const [position, name] of names.entries()) {
    expect(await wordsOf(single, position)).toMatchObject({ cached: position === 3, words: ['Hello', name] });
  }
  expect(asked.slice(1)).toEqual(['Hello Ada', 'Hello Grace', 'Hello Maria']);
});

it('asks only for what was not said before', async () => {
  const { batch, single } = makeActivities();
  await wordsOf(single, 0);
  expect(await runActivity(batch, input())).toEqual({ spoken: 2, singly: 0, cached: false });
  expect(asked).toEqual(['Hello Ada', 'Hello Grace … Hello Maria']);
});
