import { hkdfSync, randomBytes } from "node:crypto";

/** Temporary credentials, as the role of a Lambda has them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** What signs requests where nobody checks signatures. */
export const ANY_CREDENTIALS: Credentials = {
  accessKeyId: "local",
  secretAccessKey: "local",
  sessionToken: "local",
};

const ID_BYTES = 8;
const SECRET_BYTES = 30;
const TOKEN_BYTES = 60;

/** Credentials that nobody can guess. */
export function createCredentials(): Credentials {
  return credentialsOf(randomBytes(ID_BYTES + SECRET_BYTES + TOKEN_BYTES));
}

/** Credentials that only who has the key can have, and so has every host with that key. */
export function deriveCredentials(key: string): Credentials {
  return credentialsOf(
    Buffer.from(hkdfSync("sha256", key, "", "topicast @connections", ID_BYTES + SECRET_BYTES + TOKEN_BYTES)),
  );
}

/** Ids of temporary ones begin with `ASIA` on AWS. */
function credentialsOf(bytes: Buffer): Credentials {
  const secret = bytes.subarray(ID_BYTES, ID_BYTES + SECRET_BYTES);
  return {
    accessKeyId: `ASIA${bytes.subarray(0, ID_BYTES).toString("hex").toUpperCase()}`,
    secretAccessKey: secret.toString("base64url"),
    sessionToken: bytes.subarray(ID_BYTES + SECRET_BYTES).toString("base64url"),
  };
}
