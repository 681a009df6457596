import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'node_modules/**', 'dist/**'],
    globalSetup: ['test/support/global-setup.ts'],
    // Native modules (sharp, the Temporal core) and process-wide state want processes rather than threads.
    pool: 'forks',
    // Suites start ffmpeg and workers of their own, which take the cores that are left.
    poolOptions: { forks: { minForks: 1, maxForks: Math.min(4, Math.max(2, availableParallelism() / 2)) } },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    // A user's own settings must not change what is tested.
    env: { GEMINI_API_KEY: '', LOG_LEVEL: 'warn', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
});
