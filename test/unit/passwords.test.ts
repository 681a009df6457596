import { beforeEach, describe, expect, it, vi } from 'vitest';
import { hashPassword, verifyPassword } from '../../api/auth/passwords.js';

/** The real library, with its calls counted. */
const calls = vi.hoisted(() => ({ hash: 0, verify: 0 }));
vi.mock('@node-rs/argon2', async (original) => {
  const library = await original<typeof import('@node-rs/argon2')>();
  return {
    ...library,
    hash: (...given: Parameters<typeof library.hash>) => {
      calls.hash += 1;
      return library.hash(...given);
    },
    verify: (...given: Parameters<typeof library.verify>) => {
      calls.verify += 1;
      return library.verify(...given);
    },
  };
});

describe('a password', () => {
  const right = 'correct horse';
  let kept: string;
  beforeEach(async () => {
    kept = await hashPassword(right);
    // The first of all also makes the decoy.
    await verifyPassword(undefined, right);
    Object.assign(calls, { hash: 0, verify: 0 });
  });

  it.each([
    ['that is right', right, true],
    ['that is wrong', 'battery staple', false],
    ['that is empty', '', false],
  ])('%s takes exactly one verification', async (_kind, given, expected) => {
    expect(await verifyPassword(kept, given)).toBe(expected);
    expect(calls).toEqual({ hash: 0, verify: 1 });
  });

  it('of nobody takes exactly one verification of the same cost, and never matches', async () => {
    for (const given of ['no password at all', right, '']) {
      Object.assign(calls, { hash: 0, verify: 0 });
      expect(await verifyPassword(undefined, given)).toBe(false);
      expect(calls).toEqual({ hash: 0, verify: 1 });
    }
    const parameters = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/;
    expect(kept).toMatch(parameters);
    expect(await hashPassword(right)).not.toBe(kept);
  });
});
