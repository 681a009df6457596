import { STATUS_CODES } from 'node:http';

/** Every error code that a client can meet, with its HTTP status and its sentence when none fits better. */
const codes = {
  malformed_json: [400, 'The body is not valid JSON.'],
  malformed_request: [400, 'The request cannot be read.'],
  unauthorized: [401, 'A valid access token is needed.'],
  invalid_credentials: [401, 'The e-mail address or the password is wrong.'],
  invalid_refresh_token: [401, 'The refresh token is not valid; log in again.'],
  insufficient_credits: [402, 'There are not enough credits for this.'],
  account_suspended: [403, 'This account is suspended.'],
  forbidden: [403, 'This is for admins only.'],
  session_required: [403, 'This needs a login; an API key does not do.'],
  not_found: [404, 'There is nothing here.'],
  method_not_allowed: [405, 'This address does not take that method; see the Allow header.'],
  project_not_empty: [
    409,
    'The project has contents; say with ?contents=keep or ?contents=delete what is to become of them.',
  ],
  project_busy: [409, 'Jobs of this project are still running; cancel them or wait for them first.'],
  upload_incomplete: [409, 'The file has not been sent yet, or not as many bytes of it as were told.'],
  email_taken: [409, 'There is an account with this e-mail address already.'],
  own_account: [409, 'An admin cannot suspend their own account.'],
  too_many_api_keys: [409, 'There are as many API keys as an account can have; delete one first.'],
  idempotency_in_flight: [409, 'The first request with this Idempotency-Key is still being worked on.'],
  job_not_finished: [409, 'The job has no result yet.'],
  job_not_retryable: [409, 'Only a failed or cancelled job can be tried again.'],
  job_not_awaiting_approval: [409, 'The job does not wait for an approval.'],
  video_busy: [409, 'Another edit of this video is being rendered.'],
  body_too_large: [413, 'The body is larger than this address takes.'],
  media_too_large: [413, 'The file is larger than this address takes.'],
  unsupported_media_type: [415, 'The body must be application/json.'],
  unsupported_media: [415, 'The file is of a kind that this address does not take.'],
  range_not_satisfiable: [416, 'The range lies outside the file.'],
  validation_failed: [422, 'The request does not fit; see errors.'],
  idempotency_key_reused: [422, 'This Idempotency-Key was used with another request.'],
  unsupported_job_type: [422, 'Jobs of this type cannot be started yet.'],
  damaged_media: [422, 'The file is damaged.'],
  media_too_long: [422, 'The file lasts longer than can be taken.'],
  unknown_project: [422, 'There is no such project.'],
  invalid_recipients: [422, 'Some recipients cannot be used; see errors.'],
  unknown_asset: [422, 'There is no such asset.'],
  unknown_artifact: [422, 'An artifact is not one of yours or does not fit here; see errors.'],
  too_many_logins: [429, 'Too many tries with a password; wait as long as Retry-After says.'],
  too_many_uploads: [429, 'Too many uploads at the moment; wait as long as Retry-After says.'],
  invalid_image: [422, 'The picture is damaged, or larger than can be taken.'],
  internal_error: [500, 'Something went wrong here. Quote the requestId when you ask about it.'],
  database_unavailable: [503, 'The database cannot be reached at the moment.'],
  storage_unavailable: [503, 'The file storage cannot be reached at the moment.'],
  engine_unavailable: [503, 'The workflow engine cannot be reached at the moment.'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = keyof typeof codes;
export const errorCodes = Object.keys(codes) as [ErrorCode, ...ErrorCode[]];

/** What is wrong where: `path` as in `body.voice.speed`. */
export interface FieldError {
  path: string;
  message: string;
}

/** Thrown anywhere below a route; becomes the problem body. `detail` is shown to the client. */
export class ProblemError extends Error {
  readonly status: number;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string>;

  constructor(
    readonly code: ErrorCode,
    options: {
      detail?: string;
      errors?: FieldError[];
      headers?: Record<string, string>;
      cause?: unknown;
    } = {},
  ) {
    const [status, sentence] = codes[code];
    super(options.detail ?? sentence, { cause: options.cause });
    this.name = 'ProblemError';
    this.status = status;
    this.errors = options.errors;
    this.headers = { ...standardHeaders(status), ...options.headers };
  }
}

/** The body of every error answer: RFC 9457 with the members that existing clients read besides. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  status_code: number;
  timestamp: string;
  requestId: string;
  errors?: FieldError[];
}

export function problemBody(error: ProblemError, requestId: string): Problem {
  return {
    type: `urn:callsheet:problem:${error.code}`,
    title: STATUS_CODES[error.status] ?? 'Error',
    status: error.status,
    detail: error.message,
    code: error.code,
    status_code: error.status,
    timestamp: new Date().toISOString(),
    requestId,
    ...(error.errors === undefined ? {} : { errors: error.errors }),
  };
}

function standardHeaders(status: number): Record<string, string> {
  // The rest of the body is not read, so the connection cannot be used again.
  if (status === 413) return { connection: 'close' };
  if (status === 401) return { 'www-authenticate': 'Bearer' };
  if (status === 503) return { 'retry-after': '5' };
  return {};
}
