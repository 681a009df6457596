import type { Selectable } from 'kysely';
import type { Db } from './database.js';
import type { UsersTable } from './schema.js';

export type UserRow = Selectable<UsersTable>;

interface NewUser {
  /** Lower case. */
  email: string;
  passwordHash: string;
  name: string | null;
}

/** Undefined when the e-mail address is taken. */
export function insertUser(db: Db, user: NewUser): Promise<UserRow | undefined> {
  return db
    .insertInto('users')
    .values({ email: user.email, password_hash: user.passwordHash, name: user.name })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returningAll()
    .executeTakeFirst();
}

export function findUserByEmail(db: Db, email: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst();
}

export function findUser(db: Db, id: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
}

export interface UserNames {
  name?: string | null | undefined;
  firstName?: string | null | undefined;
  lastName?: string | null | undefined;
}

/** Changes just the names that are given. */
export function updateUserNames(db: Db, id: string, names: UserNames): Promise<UserRow | undefined> {
  return db
    .updateTable('users')
    .set({ name: names.name, first_name: names.firstName, last_name: names.lastName, updated_at: new Date() })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** The user's row, which nobody changes until the transaction ends, so that what is given out fits it. */
export function shareUser(trx: Db, id: string): Promise<UserRow | undefined> {
  return trx.selectFrom('users').selectAll().where('id', '=', id).forShare().executeTakeFirst();
}

/** Holds the user's row, so that one such transaction runs at a time. Answers whether there is such a user. */
export async function lockUser(trx: Db, id: string): Promise<boolean> {
  const row = await trx
    .selectFrom('users')
    .select('id')
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** Answers false when the password is not `from` any more: another change came first. */
export async function replacePassword(
  db: Db,
  id: string,
  change: { from: string; to: string },
): Promise<boolean> {
  const rows = await db
    .updateTable('users')
    .set({ password_hash: change.to, updated_at: new Date() })
    .where('id', '=', id)
    .where('password_hash', '=', change.from)
    .returning('id')
    .execute();
  return rows.length > 0;
}

export function setAvatar(db: Db, id: string, artifactId: string | null): Promise<UserRow | undefined> {
  return db
    .updateTable('users')
    .set({ avatar_artifact: artifactId, updated_at: new Date() })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** The artifact of anybody's avatar; undefined when there is no such user or they have none. */
export async function findAvatar(db: Db, id: string): Promise<string | undefined> {
  const row = await db.selectFrom('users').select('avatar_artifact').where('id', '=', id).executeTakeFirst();
  return row?.avatar_artifact ?? undefined;
}
