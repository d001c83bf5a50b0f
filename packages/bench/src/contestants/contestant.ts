import type { DialectName } from "../dialects/index.ts";
import type { ServerOptions, ServerProcess } from "../server-process.ts";

/** A server that is measured beside others. */
export interface Contestant {
  /** For `--contestants`. */
  readonly id: string;
  readonly name: string;
  readonly dialect: DialectName;
  /** Undefined where it isn't installed. */
  version(): string | undefined;
  /** How to come by it. */
  readonly origin: string;
  /** In a process of its own, on free ports of this machine alone. */
  start(options: ServerOptions): Promise<ServerProcess>;
}
