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
