import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import type { ApplicationAccess } from "./closed-host.ts";
import { signingKeyOf } from "./closed-host.ts";

export type Claims = Readonly<Record<string, unknown>>;

export const HOUR = 3_600;
export const nowSeconds = () => Math.floor(Date.now() / 1_000);

/** What a good token says. */
export const GOOD: () => Claims = () => ({
  sub: "alice",
  exp: nowSeconds() + HOUR,
  cap: { "room/*": ["subscribe", "publish", "history"] },
});

interface Forgery {
  readonly header?: Claims;
  readonly claims?: Claims;
  /** Signs instead of the key's own signing key. */
  readonly signature?: (signed: string) => string;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token as an attacker would put it together: by hand, since no library makes most of these. Claims that are undefined are left out. */
export function forge({ app, keyId, secret }: ApplicationAccess, { header, claims, signature }: Forgery = {}): string {
  const head = { alg: "HS256", kid: `${app}.${keyId}`, ...header };
  const signed = `${encode(head)}.${encode({ ...GOOD(), ...claims })}`;
  return `${signed}.${(signature ?? hmacWith(signingKeyOf(secret)))(signed)}`;
}

export function hmacWith(key: string): (signed: string) => string {
  return (signed) => createHmac("sha256", key).update(signed).digest("base64url");
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
export const RSA_PUBLIC_PEM = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();

export function signedWithRsa(signed: string): string {
  return sign("sha256", Buffer.from(signed), rsa.privateKey).toString("base64url");
}
