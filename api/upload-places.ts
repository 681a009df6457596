import { ProblemError } from './errors.js';

/** Uploads under way at a time in this process: each has a file on its disk. */
const ofOneUser = 4;
const ofAll = 64;

export interface UploadPlaces {
  /** @throws ProblemError `too_many_uploads` */
  take<T>(userId: string, work: () => Promise<T>): Promise<T>;
}

export function createUploadPlaces(): UploadPlaces {
  const running = new Map<string, number>();
  let total = 0;
  return {
    async take(userId, work) {
      const mine = running.get(userId) ?? 0;
      if (mine >= ofOneUser || total >= ofAll) {
        throw new ProblemError('too_many_uploads', { headers: { 'retry-after': '5' } });
      }
      running.set(userId, mine + 1);
      total += 1;
      try {
        return await work();
      } finally {
        total -= 1;
        const left = (running.get(userId) ?? 1) - 1;
        if (left === 0) running.delete(userId);
        else running.set(userId, left);
      }
    },
  };
}
