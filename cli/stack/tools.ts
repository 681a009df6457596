import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Programs that the set-up builds or downloads stay here, for every clone of this user. */
export function toolsFolder(): string {
  return join(homedir(), '.cache', 'callsheet', 'tools');
}

/** First executable `name` on `searchPath` (the value of PATH); a `name` with a slash is taken as it is. */
export function findOnPath(name: string, searchPath: string): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  return searchPath
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/**
 * Where a program stands: as the configuration says, on PATH, or where the set-up keeps what it installed.
 * Undefined when it is nowhere.
 */
export function findTool(
  name: string,
  configured: string | undefined,
  searchPath: string,
): string | undefined {
  if (configured !== undefined) return findOnPath(configured, searchPath);
  return findOnPath(name, searchPath) ?? findOnPath(join(toolsFolder(), name), searchPath);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
