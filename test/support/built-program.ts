import { fileURLToPath } from 'node:url';

/**
 * Command line of a program of ours as users run it: compiled, which the global set-up has seen to. It starts in half the
 * time that the source takes.
 * @param name from the project's root, without extension
 */
export function builtProgram(name: string): { command: string; args: string[] } {
  return {
    command: process.execPath,
    args: [fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url))],
  };
}
