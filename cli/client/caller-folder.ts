import { resolve } from 'node:path';
import { inheritedEnvironment } from '../../config.js';

/**
 * An absolute path from what a user typed. npm runs scripts in the project's root; relative names mean the folder in
 * which the user typed.
 */
export function callerPath(path: string): string {
  return resolve(inheritedEnvironment()['INIT_CWD'] ?? process.cwd(), path);
}
