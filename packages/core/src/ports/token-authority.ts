import type { JsonObject, Result } from "@topicast/protocol";
import type { Grant } from "../access.ts";
import type { KnownApplication } from "../applications.ts";

/** Where a client comes from, for who decides about its token. */
export interface Knock {
  /** Absent where the client has none. */
  readonly token: string | undefined;
  /** The service's name: `message-topic` or `message-broadcast`. */
  readonly service: string;
  readonly room?: string | undefined;
  readonly origin?: string | undefined;
  readonly sourceIp: string;
}

/** What a genuine token says. Its claims are not checked yet. */
export interface Vouched {
  readonly claims: JsonObject;
  /** Present where an application's key signed it; all others are for the application `default`. */
  readonly signer?: { readonly application: KnownApplication; readonly grants: readonly Grant[] };
}

/**
 * Who knows which tokens are genuine. It answers `undefined` to one that is none of its own. A fault's message is for the log: it says what is wrong and holds
 * nothing of the token but the name of the key that it claims. Throws `UnavailableError`.
 */
export type TokenAuthority = (knock: Knock & { readonly token: string }) => Promise<Result<Vouched> | undefined>;
