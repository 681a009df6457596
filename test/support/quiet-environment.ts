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
export function createQuietEnvironment(): MockActivityEnvironment {
  return new MockActivityEnvironment({}, { logger: silent });
}
