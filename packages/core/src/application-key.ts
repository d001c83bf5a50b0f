import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";

/*
 * A key reads `{app}.{keyId}:{secret}`. Its secret is shown once and never stored: HTTP needs SHA-256(secret), and tokens are signed (HS256) with
 * SHA-256("token." + secret) in hex, which is stored encrypted, because whoever has it can make tokens.
 */

export const APPLICATION_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
const KEY_ID = /^[a-z0-9]{1,16}$/;
/** 32 bytes in base64url; what others make up may be up to 128 characters long. */
const SECRET = /^[A-Za-z0-9_-]{32,128}$/;

/** Whose key it is: `{app}.{keyId}`, the `kid` of tokens signed with it. */
export interface KeyName {
  readonly app: string;
  readonly keyId: string;
}

export interface KeyParts extends KeyName {
  readonly secret: string;
}

/** Undefined for what isn't such a text. Never throws. */
export function parseKeyName(text: string): KeyName | undefined {
  const [app = "", keyId = "", ...rest] = text.split(".");
  return rest.length === 0 && APPLICATION_NAME.test(app) && KEY_ID.test(keyId) ? { app, keyId } : undefined;
}

/** The same for a whole key. */
export function parseApplicationKey(text: string): KeyParts | undefined {
  const colon = text.indexOf(":");
  const name = parseKeyName(text.slice(0, colon));
  const secret = text.slice(colon + 1);
  return colon > 0 && name !== undefined && SECRET.test(secret) ? { ...name, secret } : undefined;
}

export function formatApplicationKey({ app, keyId, secret }: KeyParts): string {
  return `${app}.${keyId}:${secret}`;
}

export function createSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** In hex. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** In hex: its 64 characters, as they are, sign tokens. */
export function signingKeyOf(secret: string): string {
  return createHash("sha256").update(`token.${secret}`).digest("hex");
}

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts and decrypts signing keys, each for its key's name alone. */
export interface Sealer {
  seal(name: KeyName, signingKey: string): string;
  /** Throws where it was sealed with another encryption key or for another name. */
  open(name: KeyName, sealed: string): string;
}

/** `encryptionKey`: at least 32 characters, of which an AES key is derived. */
export function createSealer(encryptionKey: string): Sealer {
  const key = Buffer.from(hkdfSync("sha256", encryptionKey, "", "topicast signing keys", 32));
  const aboutOf = ({ app, keyId }: KeyName) => Buffer.from(`${app}.${keyId}`);
  return {
    seal(name, signingKey) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(aboutOf(name));
      const text = Buffer.concat([cipher.update(signingKey, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64url");
    },
    open(name, sealed) {
      const bytes = Buffer.from(sealed, "base64url");
      const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(aboutOf(name)).setAuthTag(tag);
      const text = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString("utf8");
    },
  };
}
