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
  /** Milliseconds from when the request was due until its last byte, by kind; of one that failed, its timeout. */
  ms: Record<string, number[]>;
  /** Requests by kind that had no success, and why, e.g. `GET job 503`. */
  failures: Record<string, number>;
  /** Requests that met the end of an idle connection, and were sent again on a new one; their time went on. */
  sentAgain: number;
}

const load = JSON.parse(process.argv[2] ?? '{}') as ReadLoad;
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const times: ReadTimes = { ms: {}, failures: {}, sentAgain: 0 };
/** For how long a connection may be silent before its request counts as one without an answer. */
const timeoutMs = 10_000;
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
    const end = (ms: number) => {
      (times.ms[kind] ??= []).push(ms);
      resolve();
    };
    const failed = (why: string) => {
      times.failures[`${kind} ${why}`] = (times.failures[`${kind} ${why}`] ?? 0) + 1;
      end(Math.max(timeoutMs, performance.now() - dueAt));
    };
    const options = {
      agent,
      headers: { authorization: `Bearer ${load.token}`, ...headers },
      timeout: timeoutMs,
    };
    const send = () => {
      let isAnswered = false;
      let isLate = false;
      const request = http.get(`${load.api}${path}`, options, (answer) => {
        isAnswered = true;
        answer.resume();
        answer.once('error', () => failed('broken'));
        answer.once('end', () => {
          const { statusCode = 0 } = answer;
          if (statusCode < 200 || statusCode > 299) failed(String(statusCode));
          else end(performance.now() - dueAt);
        });
      });
      request.once('timeout', () => {
        isLate = true;
        request.destroy();
      });
      request.once('error', (error: NodeJS.ErrnoException) => {
        if (isAnswered) return;
        // What every client does with a GET when its idle connection was just being closed: RFC 9112, 9.3.1.
        if (request.reusedSocket && error.code === 'ECONNRESET' && !isLate) {
          times.sentAgain += 1;
          send();
          return;
        }
        failed(isLate ? 'no answer in time' : (error.code ?? error.message));
      });
    };
    send();
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
