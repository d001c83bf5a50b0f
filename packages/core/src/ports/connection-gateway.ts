import type { Target } from "../model.ts";

/** Those that a post did not reach; everyone else got it. */
export interface PostFailures<T extends Target = Target> {
  /** Answered 410. For a young connection that may mean "not yet": see `deliver`. */
  readonly gone: readonly T[];
  /** Answered 429: alive, try later. */
  readonly throttled: readonly T[];
  /** Any other fault, or no answer in time: may be alive, may even have got it. */
  readonly failed: readonly T[];
}

export interface PostOptions {
  /** Targets that aren't reached in this time count as failed. */
  readonly forMs?: number;
}

export interface ConnectionInfo {
  /** Unix ms. */
  readonly connectedAt: number;
  /** Unix ms of the last frame in either direction. */
  readonly lastActiveAt: number;
  readonly sourceIp: string;
  readonly userAgent?: string;
}

/**
 * Reaches connected clients. Failures of single connections are values, not throws; nothing is retried here.
 */
export interface ConnectionGateway {
  /** Posts one frame to each target, side by side as far as the driver's bound allows. Posts awaited in turn keep their order. */
  post<T extends Target>(targets: readonly T[], frame: string, options?: PostOptions): Promise<PostFailures<T>>;
  /** Ends a connection; `gone` where there was none. Throws `UnavailableError` where that can't be told. */
  close(target: Target): Promise<"closed" | "gone">;
  /** What the gateway knows of a connection, or `undefined` where there is none. Throws `UnavailableError` where that can't be told. */
  look(target: Target): Promise<ConnectionInfo | undefined>;
}
