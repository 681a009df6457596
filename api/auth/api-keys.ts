import { newToken } from './tokens.js';

/** How every API key begins, so that a key is known for one wherever it turns up. */
const mark = 'csk_';

/** Characters that stay readable: the mark and 48 of the key's 256 random bits. */
const prefixLength = mark.length + 8;

export function newApiKey(): { key: string; prefix: string } {
  const key = `${mark}${newToken()}`;
  return { key, prefix: key.slice(0, prefixLength) };
}

/** Access tokens have no underscore in them. */
export function isApiKey(token: string): boolean {
  return token.startsWith(mark);
}
