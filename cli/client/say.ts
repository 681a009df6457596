/** One line for whoever sits in front of the terminal. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
