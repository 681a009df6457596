import { createHash, randomBytes } from 'node:crypto';

/** sha256 in hex. The tokens are long and random, so that a plain hash keeps them. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** 256 random bits as URL-safe text. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}
