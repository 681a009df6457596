import type { Config } from '../config.js';
import { createLocalStorage } from './local.js';
import type { Storage } from './storage.js';

/** The one place that chooses an adapter. */
export async function createStorage(options: Config['storage']): Promise<Storage> {
  switch (options.kind) {
    case 'local':
      return await createLocalStorage(options.dir);
    case 's3': {
      // Loaded only where it is used: the SDK is large.
      const { createS3Storage } = await import('./s3.js');
      return createS3Storage(options);
    }
  }
}
