import { randomBytes } from "node:crypto";

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

/** Credentials that nobody can guess; ids of temporary ones begin with `ASIA` on AWS. */
export function createCredentials(): Credentials {
  return {
    accessKeyId: `ASIA${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString("base64url"),
    sessionToken: randomBytes(60).toString("base64url"),
  };
}
