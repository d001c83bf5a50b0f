export type Refusal = "gone" | "throttled" | "failed";

/** What goes wrong on purpose, so that a test sees how services bear it. */
export interface HostFaults {
  /** How a request to post to, look at or close a connection is refused; over HTTP that is 410, 429 and 500. */
  request?(service: string, connectionId: string): Refusal | undefined;
  /** Awaited between the answer of the `$connect` handler and the upgrade. */
  handshake?(service: string, connectionId: string): Promise<void>;
  /** Whether `$disconnect` is not delivered: it is best effort. */
  disconnect?(service: string, connectionId: string): boolean;
}
