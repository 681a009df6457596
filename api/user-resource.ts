import { z } from '@hono/zod-openapi';
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
    credits: z.int(),
    subscription: z.null(),
    avatarUrl: z.string().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('User');

/** There is no ledger, no plan and no avatar yet, and so the fields say none. */
export function toUser(row: UserRow): z.infer<typeof userSchema> {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    firstName: row.first_name,
    lastName: row.last_name,
    role: row.role,
    status: row.status,
    isVerified: row.is_verified,
    credits: 0,
    subscription: null,
    avatarUrl: null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
