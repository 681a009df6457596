import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';

/** AES-256-GCM (NIST SP 800-38D) with a fresh 96-bit nonce for every secret. */
const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** Keeps secrets that the database may hold but nobody may read there. */
export interface SecretBox {
  /** Names the key without telling it, so that what another key sealed is known as such. */
  keyId: string;
  /** @param associated what the secret belongs to, e.g. its row's id: it opens with nothing else. */
  seal(secret: string, associated: string): Buffer;
  /** @throws Error when it was changed, or sealed with another key or for something else. */
  open(sealed: Uint8Array, associated: string): string;
  /** A UUID that is the same for the same secret of the same owner, with no way back. */
  idOf(secret: string, owner: string): string;
}

/** @param key 32 bytes. */
export function createSecretBox(key: Uint8Array): SecretBox {
  if (key.length !== 32) throw new RangeError('a key has 32 bytes');
  const keyId = createHash('sha256').update('callsheet key id\n').update(key).digest('hex').slice(0, 16);
  return {
    keyId,
    seal(secret, associated) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(associated));
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, text, cipher.getAuthTag()]);
    },
    open(sealed, associated) {
      const bytes = Buffer.from(sealed);
      if (bytes.length < nonceBytes + tagBytes) throw new Error('the secret is cut off');
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
        .setAAD(Buffer.from(associated))
        .setAuthTag(bytes.subarray(-tagBytes));
      const text = bytes.subarray(nonceBytes, -tagBytes);
      return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8');
    },
    idOf(secret, owner) {
      const bytes = createHmac('sha256', key).update(`id\n${owner}\n${secret}`).digest();
      // Version 8 of RFC 9562: sixteen bytes of one's own but for version and variant.
      bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
      bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
      return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    },
  };
}
