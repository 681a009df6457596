import type { Info } from '@temporalio/activity';
import type { Logger } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';

const nothing = () => undefined;
const silent: Logger = {
  log: nothing,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};

/** An activity's surroundings without its log: the failures that a test provokes are no news. */
export function createQuietEnvironment(info: Partial<Info> = {}): MockActivityEnvironment {
  return new MockActivityEnvironment(info, { logger: silent });
}

/** Runs an activity in surroundings of its own, or in those given. */
export function runActivity<I, R>(
  activity: (input: I) => Promise<R>,
  input: I,
  environment = createQuietEnvironment(),
): Promise<R> {
  return environment.run<[I], R, (input: I) => Promise<R>>(activity, input);
}
