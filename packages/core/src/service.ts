import type { Applications } from "./applications.ts";
import type { Clock } from "./clock.ts";
import type { Target } from "./model.ts";
import type { MessagesFanout } from "./ports/fanout-queue.ts";
import type { Ports } from "./ports/ports.ts";

/** How a service's messages look on the wire. */
export interface Envelope {
  /** The frames that carry a fan-out, in order, each under the gateway's limit. */
  frames(fanout: MessagesFanout): readonly string[];
  /** The same for the connection that sent it, where that sees something else. */
  framesForSender?(fanout: MessagesFanout): readonly string[];
  /** Whether a frame holds several messages; otherwise there is nothing that a tick could join. */
  readonly joins: boolean;
}

/** Bounds that an operator may set; see `config.ts` for their names and defaults. */
export interface Settings {
  /** Topics with at most so many subscribers are posted to by the publisher itself. */
  readonly inlineMax: number;
  /** Subscribers that one worker should have to post to: a shard that has more is divided. */
  readonly shardMax: number;
  /** Subscribers of a page, and connections of a retried job. */
  readonly pageSize: number;
  /** Jobs that a connection's message gets before it is a dead letter. */
  readonly maxAttempts: number;
  /** Topics that one connection may hold. */
  readonly maxSubscriptions: number;
}

/** Where things go that nobody waits for. Never give it a payload, token or key. */
export interface Logger {
  warn(message: string, fields: Record<string, unknown>): void;
  error(message: string, fields: Record<string, unknown>): void;
}

/** One deployed service, as its use cases see it. */
export interface Service extends Ports {
  /** Its management endpoint; see {@link Target}. */
  readonly address: string;
  readonly applications: Applications;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly envelope: Envelope;
  readonly settings: Settings;
}
