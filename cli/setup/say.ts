/** One line for each thing that the set-up does. */
export function say(line: string): void {
  process.stdout.write(`setup: ${line}\n`);
}

/** Something cannot be had; the message is one sentence that says what to do. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}
