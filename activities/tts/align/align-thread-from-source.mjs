/** Starts align-thread.ts where there is no build: a new thread does not know TypeScript by itself. */
import { register } from 'tsx/esm/api';

register();
await import('./align-thread.ts');
