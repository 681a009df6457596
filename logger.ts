import { pino, stdTimeFunctions, type DestinationStream } from 'pino';

/**
 * What a log line says: `jobId`, `stage` (step or part of the program), `action`, `success` and whatever else
 * helps in `info`. The line itself carries `ts`, `level` and `name`.
 */
export interface LogFields {
  jobId?: string;
  stage?: string;
  action: string;
  success?: boolean;
  /** Plain data; never a password, token or key. */
  info?: Record<string, unknown>;
  err?: unknown;
}

/** Structured JSON log, one object a line. */
export interface Logger {
  debug(fields: LogFields): void;
  info(fields: LogFields): void;
  warn(fields: LogFields): void;
  error(fields: LogFields): void;
  /** A logger whose every line carries these fields too. */
  child(fields: Partial<LogFields> & { requestId?: string }): Logger;
}

export interface LoggerOptions {
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Which program speaks, e.g. `api` or `worker`. */
  name: string;
}

const secretNames = [
  'password',
  'currentPassword',
  'newPassword',
  'token',
  'accessToken',
  'refreshToken',
  'authorization',
  'apiKey',
  'elevenlabsApiKey',
  'secretAccessKey',
];

/** Writes to standard output unless `destination` is given. */
export function createLogger(options: LoggerOptions, destination?: DestinationStream): Logger {
  return pino(
    {
      level: options.level,
      base: { name: options.name },
      timestamp: () => stdTimeFunctions.isoTime().replace('"time"', '"ts"'),
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
      redact: {
        paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[redacted]',
      },
    },
    destination,
  );
}
