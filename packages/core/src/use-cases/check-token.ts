import { ok, type Result } from "@topicast/protocol";
import { type Caller, EVERYTHING } from "../access.ts";
import { DEFAULT_APP } from "../model.ts";

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

/** Who a client is and what it may do. Throws `UnavailableError`. */
export type TokenCheck = (knock: Knock) => Promise<Result<Caller>>;

/** Where doors are open, whatever token is given. */
export const anyone: TokenCheck = async () => ok({ app: DEFAULT_APP, access: EVERYTHING });
