import {
  type ApplicationKey,
  createSealer,
  createSecret,
  formatApplicationKey,
  hashSecret,
  type KeyParts,
  signingKeyOf,
} from "@topicast/core";
import { anApplicationKey } from "./factories.ts";

export interface KnownKey {
  /** The whole key: `{app}.{keyId}:{secret}`. */
  readonly key: string;
  /** What an application has of it. */
  readonly stored: ApplicationKey;
}

/** An application's key that opens a service with this encryption key; it may do everything, unless `overrides` say less. */
export function aKnownKey(
  {
    app,
    keyId = "k1",
    encryptionKey,
  }: Pick<KeyParts, "app"> & { readonly keyId?: string; readonly encryptionKey: string },
  overrides: Partial<ApplicationKey> = {},
): KnownKey {
  const secret = createSecret();
  const sealedSigningKey = createSealer(encryptionKey).seal({ app, keyId }, signingKeyOf(secret));
  const stored = anApplicationKey({ id: keyId, secretHash: hashSecret(secret), sealedSigningKey, ...overrides });
  return { key: formatApplicationKey({ app, keyId, secret }), stored };
}
