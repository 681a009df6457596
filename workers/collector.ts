import { setTimeout as sleep } from 'node:timers/promises';
import { collectArtifact, collectUnknownFile, knownArtifacts, listCollectable } from '../db/collection.js';
import type { Db } from '../db/database.js';
import { expireGenerations } from '../db/generation-cache.js';
import { deleteUpload, listOverUploads } from '../db/uploads.js';
import type { Logger } from '../logger.js';
import { prefixes, thumbnailKeys, uploadKey, uploadSeconds } from '../storage/keys.js';
import type { Storage } from '../storage/storage.js';

export interface CollectorDeps {
  db: Db;
  storage: Storage;
  logger: Logger;
  /** How long a result that nobody uses is remembered. */
  cacheSeconds: number;
  /** How long a file that nothing refers to is kept after it was last made. */
  graceSeconds: number;
}

export interface Collected {
  generations: number;
  files: number;
  unknownFiles: number;
  uploads: number;
  thumbnails: number;
  unfinished: number;
}

const intervalMs = 15 * 60_000;
const batchSize = 200;

/**
 * Removes what nothing refers to: remembered results that nobody uses, then the files of artifacts that no row and no
 * result names, files that never got a row, direct uploads that came to nothing, pictures that are made anew when they
 * are asked for, and what killed processes had half stored. Any number of collectors may run.
 */
export class Collector {
  readonly #deps: CollectorDeps;

  constructor(deps: CollectorDeps) {
    this.#deps = deps;
  }

  /** Collects until the signal aborts; what fails is tried again next time. */
  async run(signal: AbortSignal): Promise<void> {
    const isOver = () => signal.aborted;
    while (!isOver()) {
      await sleep(intervalMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
      if (isOver()) return;
      await this.collect(signal).then(
        (collected) => {
          const info = { ...collected };
          this.#deps.logger.info({ stage: 'collector', action: 'collect', success: true, info });
        },
        (error: unknown) => {
          this.#deps.logger.warn({ stage: 'collector', action: 'collect', success: false, err: error });
        },
      );
    }
  }

  /** One round of everything. */
  async collect(signal?: AbortSignal): Promise<Collected> {
    const { db, cacheSeconds } = this.#deps;
    return {
      generations: await expireGenerations(db, cacheSeconds),
      uploads: await this.#collectUploads(),
      files: await this.#collectFiles(signal),
      unknownFiles: await this.#collectUnknown(signal),
      thumbnails: await this.#collectThumbnails(signal),
      unfinished: await this.#removeUnfinished(),
    };
  }

  async #collectFiles(signal?: AbortSignal): Promise<number> {
    const { db, storage, graceSeconds } = this.#deps;
    let count = 0;
    while (signal?.aborted !== true) {
      const ids = await listCollectable(db, graceSeconds, batchSize);
      let removed = 0;
      for (const id of ids) {
        const isGone = await collectArtifact(db, id, graceSeconds, async () => {
          await storage.delete(prefixes.artifacts + id);
          if (id.endsWith('.webp')) await Promise.all(thumbnailKeys(id).map((key) => storage.delete(key)));
        });
        if (isGone) removed += 1;
      }
      count += removed;
      if (removed === 0) break;
    }
    return count;
  }

  /** A file is published before its row is written, so a young one may be about to get its row. */
  async #collectUnknown(signal?: AbortSignal): Promise<number> {
    const { db, storage, graceSeconds } = this.#deps;
    const youngest = Date.now() - graceSeconds * 1000;
    let count = 0;
    for await (const page of storage.list(prefixes.artifacts)) {
      if (signal?.aborted === true) break;
      const old = page.filter(({ modifiedAt }) => modifiedAt.getTime() < youngest);
      const ids = old.map(({ key }) => key.slice(prefixes.artifacts.length));
      const known = await knownArtifacts(db, ids);
      for (const id of ids.filter((one) => !known.has(one))) {
        if (await collectUnknownFile(db, id, () => storage.delete(prefixes.artifacts + id))) count += 1;
      }
    }
    return count;
  }

  /** Copies of pictures, and those that stand for missing ones, may outlive all that they were made for. */
  async #collectThumbnails(signal?: AbortSignal): Promise<number> {
    const { storage, cacheSeconds } = this.#deps;
    const youngest = Date.now() - cacheSeconds * 1000;
    let count = 0;
    for await (const page of storage.list(prefixes.thumbnails)) {
      for (const { key } of page.filter(({ modifiedAt }) => modifiedAt.getTime() < youngest)) {
        if (signal?.aborted === true) return count;
        await storage.delete(key);
        count += 1;
      }
    }
    return count;
  }

  /** Stores that cannot list such uploads, or do not let us, have rules of their own for them. */
  async #removeUnfinished(): Promise<number> {
    const { storage, logger, graceSeconds } = this.#deps;
    return storage.removeUnfinished(new Date(Date.now() - graceSeconds * 1000)).catch((error: unknown) => {
      logger.warn({ stage: 'collector', action: 'remove unfinished uploads', success: false, err: error });
      return 0;
    });
  }

  /** As long as an address could be used, something may come to it again. */
  async #collectUploads(): Promise<number> {
    const { db, storage } = this.#deps;
    const ids = await listOverUploads(db, uploadSeconds + 600, batchSize);
    for (const id of ids) {
      await storage.delete(uploadKey(id));
      await deleteUpload(db, id);
    }
    return ids.length;
  }
}
