import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from './database.js';

/** Bytes of a key; Standard Webhooks asks for 24 to 64. */
const keyBytes = 32;

/** After a rotation messages are signed with the old secret too for this long, so that receivers can follow. */
const overlapHours = 24;

export interface WebhookSecret {
  /** `whsec_` and base64. */
  secret: string;
  /** When the one before it stopped, or will stop, to sign along; null when there was none. */
  previousValidUntil: Date | null;
}

/** The user's secret for signing webhooks; made when it is first asked for. */
export async function readWebhookSecret(db: Db, userId: string): Promise<WebhookSecret> {
  await db
    .insertInto('webhook_secrets')
    .values({ user_id: userId, secret: newSecret() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return db
    .selectFrom('webhook_secrets')
    .select(['secret', validUntil.as('previousValidUntil')])
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
}

/** A new secret; the one that was signs along for a day. */
export function rotateWebhookSecret(db: Db, userId: string): Promise<WebhookSecret> {
  const secret = newSecret();
  return db
    .insertInto('webhook_secrets')
    .values({ user_id: userId, secret })
    .onConflict((conflict) =>
      conflict.column('user_id').doUpdateSet({
        previous_secret: sql<string>`webhook_secrets.secret`,
        secret,
        rotated_at: sql<Date>`now()`,
      }),
    )
    .returning(['secret', validUntil.as('previousValidUntil')])
    .executeTakeFirstOrThrow();
}

/** What the user's webhooks are signed with now, the newest first. */
export async function webhookSecrets(db: Db, userId: string): Promise<string[]> {
  await readWebhookSecret(db, userId);
  const row = await db
    .selectFrom('webhook_secrets')
    .select([
      'secret',
      sql<string | null>`case when ${validUntil} > now() then previous_secret end`.as('previous'),
    ])
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return row.previous === null ? [row.secret] : [row.secret, row.previous];
}

const validUntil = sql<Date | null>`webhook_secrets.rotated_at + make_interval(hours => ${overlapHours})`;

const newSecret = (): string => `whsec_${randomBytes(keyBytes).toString('base64')}`;
