/** How a request about a connection is refused: over HTTP with 410, 429 or 500, or never answered (in process that is a failure). */
export type Refusal = "gone" | "throttled" | "failed" | "hang";

/**
 * How a request to DynamoDB or SQS goes wrong: it is throttled, fails with a 500, is never answered, or is applied and its answer lost with
 * the connection.
 */
export type WireFault = "throttle" | "fail" | "hang" | "dropAnswer";

/** A batch of which some entries, named by their ids, are refused; the others are taken. */
export interface EntryRefusal {
  readonly refuseEntries: readonly string[];
}

/** A request's body, as the SDK sent it. */
export type WireInput = Readonly<Record<string, unknown>>;

/** A frame from a client, the route's answer to one, or a post of the service. */
export type FrameKind = "request" | "reply" | "post";

/** When each copy of a frame arrives, in ms from now: `[0]` is as usual, `[]` never, `[0, 80]` twice. */
export type Arrivals = readonly number[];

type Awaitable<T> = T | Promise<T>;

/** What goes wrong on purpose, so that a test or a game sees how services bear it. */
export interface HostFaults {
  /** How a request to post to, look at or close a connection is refused. */
  request?(service: string, connectionId: string): Refusal | undefined;
  /** When a frame arrives. A post that never does is answered as if it had. */
  frame?(service: string, connectionId: string, kind: FrameKind): Arrivals;
  /** After how many ms the link of a connection breaks; both sides see 1006. Asked when it has opened. */
  cut?(service: string, connectionId: string): number | undefined;
  /** Awaited between the answer of the `$connect` handler and the upgrade. */
  handshake?(service: string, connectionId: string): Promise<void>;
  /** Whether `$disconnect` is not delivered: it is best effort. */
  disconnect?(service: string, connectionId: string): boolean;
  /** How a request to DynamoDB (`PutItem`) goes wrong. Only over the wire; awaited before the request is passed on. */
  store?(operation: string, input: WireInput): Awaitable<WireFault | undefined>;
  /**
   * The same for SQS (`SendMessageBatch`), and for what the event sources ask of it (`ReceiveMessage`, `DeleteMessageBatch`): a deletion
   * that fails brings a message twice.
   */
  queue?(operation: string, input: WireInput): Awaitable<WireFault | EntryRefusal | undefined>;
}
