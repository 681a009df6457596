import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const fromSource = import.meta.url.endsWith('.ts');
const extension = fromSource ? '.ts' : '.js';
const workflowsDir = fileURLToPath(new URL('../workflows/', import.meta.url));

/** Compiled code has its bundle beside it; source has it in the folder that tools keep their caches in. */
const bundleFolder = fileURLToPath(
  new URL(fromSource ? '../node_modules/.cache/callsheet/' : '../', import.meta.url),
);

/**
 * Builds the workflow bundle unless the one that is there was made from the same workflows by the same SDK.
 * Several processes may call it at once.
 *
 * @returns path for `workflowBundle: { codePath }`.
 */
export async function ensureWorkflowBundle(): Promise<string> {
  const codePath = join(bundleFolder, 'workflow-bundle.js');
  const stampPath = join(bundleFolder, 'workflow-bundle.sha256');
  const [stamp, built] = await Promise.all([hashOfWorkflows(), readFile(stampPath, 'utf8').catch(() => '')]);
  if (built === stamp) return codePath;
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(workflowsDir, `index${extension}`),
    logger: silent,
  });
  await mkdir(bundleFolder, { recursive: true });
  await replaceFile(codePath, code);
  await replaceFile(stampPath, stamp);
  return codePath;
}

/** Readers see the old file or the new one, never a part. */
async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}

async function hashOfWorkflows(): Promise<string> {
  const hash = createHash('sha256');
  hash.update(await readFile(sdkManifest()));
  const found = await readdir(workflowsDir, { recursive: true });
  const names = found.filter((name) => name.endsWith(extension)).sort();
  for (const name of names) {
    hash.update(`\0${name}\0`).update(await readFile(join(workflowsDir, name)));
  }
  return hash.digest('hex');
}

function sdkManifest(): string {
  const entry = createRequire(import.meta.url).resolve('@temporalio/worker');
  return join(dirname(dirname(entry)), 'package.json');
}

const nothing = () => undefined;
const silent = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
