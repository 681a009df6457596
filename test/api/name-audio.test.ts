import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findGeneration, saveGeneration } from '../../db/generation-cache.js';
import { noteNameAudioUse } from '../../db/name-audio.js';
import { startApi, type TestApi } from './support.js';

let api: TestApi;
type User = Awaited<ReturnType<TestApi['register']>>;
let ada: User;
let grace: User;

beforeAll(async () => {
  api = await startApi();
  ada = await api.register();
  grace = await api.register();
});
afterAll(() => api.stop());

async function spoken(key: string, ...users: User[]): Promise<void> {
  await saveGeneration(api.db, { key, activity: 'speak_name', value: { voice: key }, artifacts: [] });
  for (const { id } of users) await noteNameAudioUse(api.db, id, key);
}
const clear = async (user: User) => {
  const answer = await api.call('/api/v1/cache/name-audio/clear', { method: 'POST', token: user.token });
  expect(answer.status).toBe(200);
  return answer.json;
};
const isKnown = async (key: string) => (await findGeneration(api.db, key)) !== undefined;

describe('clearing the names that were said', () => {
  it('forgets one’s own, and what others had said only when they have cleared it too', async () => {
    await spoken('hers', ada);
    await spoken('both', ada, grace);
    await spoken('other', grace);
    await saveGeneration(api.db, { key: 'scene', activity: 'speakScene', value: {}, artifacts: [] });

    expect(await clear(ada)).toEqual({ deleted: 1 });
    expect(await Promise.all(['hers', 'both', 'other', 'scene'].map(isKnown))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(await clear(ada)).toEqual({ deleted: 0 });
    expect(await clear(grace)).toEqual({ deleted: 2 });
    expect(await Promise.all(['both', 'other', 'scene'].map(isKnown))).toEqual([false, false, true]);
  });

  it('counts a use once, and none of what has expired', async () => {
    await spoken('again', ada, ada);
    await noteNameAudioUse(api.db, ada.id, 'never said');
    expect(await clear(ada)).toEqual({ deleted: 1 });
  });

  it('lets a user go with their uses', async () => {
    const gone = await api.register();
    await spoken('left', gone, grace);
    await api.db.deleteFrom('users').where('id', '=', gone.id).execute();
    expect(await clear(grace)).toEqual({ deleted: 1 });
  });
});
