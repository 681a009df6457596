import { writeFileSync } from 'node:fs';

/**
 * Lets a session of processes stand behind the others of this host. Where Linux shares the processor by session, niceness
 * counts among the processes of one session only, and each program that we start in a process group of its own is a
 * session of its own. Best effort: other systems have no such thing. Source: sched(7), "The autogroup feature".
 *
 * @param process id, or `self`
 * @param niceness 0–19
 */
export function standBack(process: number | 'self', niceness: number): void {
  try {
    writeFileSync(`/proc/${process}/autogroup`, String(niceness));
  } catch {
    // It has ended already, or there are no such groups here.
  }
}
