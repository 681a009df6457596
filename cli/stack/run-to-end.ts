import { spawn } from 'node:child_process';

const keptBytes = 4096;

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  runAs?: { uid: number; gid: number };
  timeoutMs?: number;
}

/**
 * Runs a program and resolves with its standard output.
 * @throws Error with the end of its output when it cannot be started, fails or takes longer than `timeoutMs`.
 */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 120_000,
      killSignal: 'SIGKILL',
      ...options.runAs,
    });
    let output = '';
    let tail = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      tail = (tail + chunk).slice(-keptBytes);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      tail = (tail + chunk).slice(-keptBytes);
    });
    child.on('error', (error) => {
      reject(new Error(`${command} did not start: ${error.message}`, { cause: error }));
    });
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command} failed (${signal ?? String(code)}):\n${tail.trimEnd()}`));
    });
  });
}
