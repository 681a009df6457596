import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inheritedEnvironment } from '../../config.js';
import { runToEnd } from '../stack/run-to-end.js';
import { findOnPath, toolsFolder } from '../stack/tools.js';
import { SetupError } from './say.js';

/** Where the Go distribution's own instructions put it, although PATH may not name it. */
const usualGo = '/usr/local/go/bin/go';

export function findGo(searchPath: string): string | undefined {
  return findOnPath('go', searchPath) ?? findOnPath(usualGo, searchPath);
}

/**
 * Builds `module@version` into the tools folder and returns the program's path. It appears there complete or not at all.
 * @throws SetupError when the build fails.
 */
export async function goInstall(go: string, module: string, name: string): Promise<string> {
  await mkdir(toolsFolder(), { recursive: true });
  const draft = await mkdtemp(join(toolsFolder(), '.building-'));
  try {
    await runToEnd(go, ['install', '-trimpath', '-ldflags=-s -w', module], {
      cwd: draft,
      env: inheritedEnvironment({ GOBIN: draft, GOFLAGS: '', GOWORK: 'off' }),
      timeoutMs: 15 * 60_000,
    });
    const program = join(toolsFolder(), name);
    await rename(join(draft, name), program);
    return program;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new SetupError(`"go install ${module}" failed, run it by hand to see more: ${said}`);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
