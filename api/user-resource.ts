import { z } from '@hono/zod-openapi';
import type { Db } from '../db/database.js';
import { readBalance } from '../db/ledger.js';
import type { UserRow } from '../db/users.js';

export const userSchema = z
  .object({
    id: z.uuid(),
    email: z.email(),
    name: z.string().nullable(),
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    role: z.enum(['user', 'admin']),
    status: z.enum(['active', 'suspended']),
    isVerified: z.boolean(),
    credits: z.int().openapi({ description: 'Those that can be spent.' }),
    subscription: z.null(),
    avatarUrl: z.string().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('User');

/** There is no plan yet, and so the field says none. `credits` are those that can be spent. */
export function toUser(row: UserRow & { credits: number }): z.infer<typeof userSchema> {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    firstName: row.first_name,
    lastName: row.last_name,
    role: row.role,
    status: row.status,
    isVerified: row.is_verified,
    credits: row.credits,
    subscription: null,
    avatarUrl: row.avatar_artifact === null ? null : `/api/v1/users/${row.id}/avatar`,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** The user with the credits that they have now. */
export async function userBody(db: Db, row: UserRow): Promise<z.infer<typeof userSchema>> {
  const { available } = await readBalance(db, row.id);
  return toUser({ ...row, credits: available });
}
