/** What goes wrong on purpose, so that a test sees how services bear it. */
export interface HostFaults {
  /** What a post meets instead of the socket; over HTTP that is 410, 429 and 500. */
  post?(service: string, connectionId: string): "gone" | "throttled" | "failed" | undefined;
  /** Awaited between the answer of the `$connect` handler and the upgrade. */
  handshake?(service: string, connectionId: string): Promise<void>;
  /** Whether `$disconnect` is not delivered: it is best effort. */
  disconnect?(service: string, connectionId: string): boolean;
}
