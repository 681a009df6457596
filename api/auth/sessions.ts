import type { UserRow } from '../../db/users.js';

export interface ValidSession {
  user: UserRow;
  /** Everything that came from one login. */
  familyId: string;
}

/** What a request was let in with. */
export type Credential = { kind: 'session'; familyId: string } | { kind: 'api_key'; id: string };

/** Who makes the request. */
export interface AuthenticatedUser {
  id: string;
  role: UserRow['role'];
  credential: Credential;
  row: UserRow;
}

/** Access tokens, whatever library keeps them. */
export interface Sessions {
  /** Answers with the access token. */
  create(userId: string, familyId: string): Promise<string>;
  /** Undefined for a token that is unknown or over. */
  validate(accessToken: string): Promise<ValidSession | undefined>;
}
