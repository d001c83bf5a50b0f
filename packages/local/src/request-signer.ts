import { Sha256Node } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Credentials } from "./credentials.ts";

export interface UnsignedRequest {
  readonly method: string;
  /** `name:port`, as in the header. */
  readonly host: string;
  /** As it is sent. */
  readonly path: string;
  readonly body: string;
}

/** Gives the headers of a request to `@connections`, its signature among them, as SDK clients make them. */
export type RequestSigner = (request: UnsignedRequest) => Promise<Readonly<Record<string, string>>>;

export function createRequestSigner(credentials: Credentials, region: string): RequestSigner {
  const signer = new SignatureV4({ credentials, region, service: "execute-api", sha256: Sha256Node });
  return async ({ method, host, path, body }) => {
    const { headers } = await signer.sign({
      method,
      protocol: "http:",
      hostname: host,
      path,
      query: {},
      headers: { host },
      body,
    });
    return headers;
  };
}
