import { Lucia, TimeSpan, type Adapter, type DatabaseSession, type DatabaseUser } from 'lucia';
import type { Db } from '../../db/database.js';
import {
  deleteExpiredSessions,
  deleteSession,
  deleteUserSessions,
  findSessionWithUser,
  insertSession,
  listSessions,
} from '../../db/sessions.js';
import type { UserRow } from '../../db/users.js';
import type { Sessions } from './sessions.js';
import { hashToken } from './tokens.js';

/** The only file that knows Lucia: sessions are its ids, of which the database keeps the hashes. */
declare module 'lucia' {
  interface Register {
    Lucia: ReturnType<typeof createLucia>;
    DatabaseSessionAttributes: { familyId: string };
    DatabaseUserAttributes: UserRow;
  }
}

const accessMinutes = 15;

/** Lifetime of an access token. */
export const accessSeconds = accessMinutes * 60;

function createAdapter(db: Db): Adapter {
  return {
    async getSessionAndUser(sessionId): Promise<[DatabaseSession | null, DatabaseUser | null]> {
      const found = await findSessionWithUser(db, hashToken(sessionId));
      if (found === undefined) return [null, null];
      const { session, user } = found;
      return [
        {
          id: sessionId,
          userId: user.id,
          expiresAt: session.expiresAt,
          attributes: { familyId: session.familyId },
        },
        { id: user.id, attributes: user },
      ];
    },
    /** The ids are hashes here: the tokens themselves are nowhere to be read. */
    async getUserSessions(userId) {
      const rows = await listSessions(db, userId);
      return rows.map((row) => ({
        id: row.tokenHash,
        userId,
        expiresAt: row.expiresAt,
        attributes: { familyId: row.familyId },
      }));
    },
    setSession: (session) =>
      insertSession(db, hashToken(session.id), {
        userId: session.userId,
        familyId: session.attributes.familyId,
        expiresAt: session.expiresAt,
      }),
    // An access token lives for a fixed time; what prolongs a login is its refresh token.
    updateSessionExpiration: () => Promise.resolve(),
    deleteSession: (sessionId) => deleteSession(db, hashToken(sessionId)),
    deleteUserSessions: (userId) => deleteUserSessions(db, userId),
    deleteExpiredSessions: () => deleteExpiredSessions(db),
  };
}

function createLucia(db: Db) {
  return new Lucia(createAdapter(db), {
    sessionExpiresIn: new TimeSpan(accessMinutes, 'm'),
    getSessionAttributes: ({ familyId }) => ({ familyId }),
    getUserAttributes: (row) => ({ row }),
  });
}

/** Sessions over one database handle; a transaction's handle makes them part of it. */
export function createSessions(db: Db): Sessions {
  const lucia = createLucia(db);
  return {
    async create(userId, familyId) {
      const session = await lucia.createSession(userId, { familyId });
      return session.id;
    },
    async validate(accessToken) {
      const { session, user } = await lucia.validateSession(accessToken);
      return session === null ? undefined : { user: user.row, familyId: session.familyId };
    },
  };
}
