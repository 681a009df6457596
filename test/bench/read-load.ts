import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A load generator, a program of its own, so that it does not share an event loop with what it measures. Its only
 * argument is a {@link ReadLoad} as JSON; it prints a {@link ReadTimes} as JSON.
 */
export interface ReadLoad {
  api: string;
  token: string;
  /** Requests a second, whatever becomes of the earlier ones. */
  perSecond: number;
  seconds: number;
  /** Taken in turns. */
  reads: { kind: string; path: string; headers?: Record<string, string> }[];
}

export interface ReadTimes {
  /** Milliseconds from when the request was due until its last byte, by kind. */
  ms: Record<string, number[]>;
  /** Answers by kind that were no success, e.g. `GET job 503`. */
  failures: Record<string, number>;
}

const load = JSON.parse(process.argv[2] ?? '{}') as ReadLoad;
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const times: ReadTimes = { ms: {}, failures: {} };
const underWay: Promise<void>[] = [];

/**
 * Counted from when it was due, not from when it was sent: requests that wait for their turn behind slow ones are
 * slow, too ("coordinated omission").
 */
function read(index: number, dueAt: number): Promise<void> {
  const chosen = load.reads[index % load.reads.length];
  if (chosen === undefined) throw new Error('nothing to read');
  const { kind, path, headers } = chosen;
  return new Promise((resolve) => {
    const failed = (why: string) => {
      times.failures[`${kind} ${why}`] = (times.failures[`${kind} ${why}`] ?? 0) + 1;
      resolve();
    };
    const options = {
      agent,
      headers: { authorization: `Bearer ${load.token}`, ...headers },
      timeout: 10_000,
    };
    const request = http.get(`${load.api}${path}`, options, (answer) => {
      answer.resume();
      answer.once('error', () => failed('broken'));
      answer.once('end', () => {
        const { statusCode = 0 } = answer;
        if (statusCode < 200 || statusCode > 299) {
          failed(String(statusCode));
          return;
        }
        (times.ms[kind] ??= []).push(performance.now() - dueAt);
        resolve();
      });
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => failed('no answer'));
  });
}

const startedAt = performance.now();
const total = load.perSecond * load.seconds;
for (let index = 0; index < total;) {
  const now = performance.now() - startedAt;
  for (; index < total && (index * 1000) / load.perSecond <= now; index += 1) {
    underWay.push(read(index, startedAt + (index * 1000) / load.perSecond));
  }
  await sleep(1);
}
await Promise.all(underWay);
agent.destroy();
process.stdout.write(JSON.stringify(times));
