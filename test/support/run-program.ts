import { execFile } from 'node:child_process';

/** Runs a program to its end, whatever its exit code, and gives what it printed. */
export function runProgram(file: string, args: string[]): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) => {
      resolve({ stdout, stderr });
    });
  });
}
