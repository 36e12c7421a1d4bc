import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';

const [nonceLength, tagLength] = [12, 16];

/** Seals texts so that only this installation opens them (AES-256-GCM, a fresh nonce each). */
export interface SecretBox {
  /** Base64url; `about` is not kept in it and must be the same when it is opened. */
  seal(text: string, about: string): string;
  /** Undefined for anything that was not sealed here for that. */
  open(sealed: string, about: string): string | undefined;
}

/** A box with a key of its own, derived from 32 secret bytes (HKDF-SHA256); `purpose` tells it from the others. */
export const secretBox = (secret: Uint8Array, purpose: string): SecretBox => {
  // as a key object it is prepared once, not for each text
  const key = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', `windsock ${purpose}`, 32)));
  return {
    seal: (text, about) => {
      const nonce = randomBytes(nonceLength);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(about));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open: (sealed, about) => {
      const bytes = Buffer.from(sealed, 'base64url');
      // one text a sealed value: another spelling of the same bytes is not it
      if (bytes.length < nonceLength + tagLength || bytes.toString('base64url') !== sealed) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceLength))
        .setAAD(Buffer.from(about))
        .setAuthTag(bytes.subarray(nonceLength, nonceLength + tagLength));
      try {
        const rest = bytes.subarray(nonceLength + tagLength);
        return Buffer.concat([decipher.update(rest), decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
};
