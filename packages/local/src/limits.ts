/** What API Gateway allows: settable, so that a test need not wait ten minutes or send ten megabytes. */
export interface GatewayLimits {
  /** A connection without a frame in either direction for this long is closed with 1001. */
  readonly idleTimeoutMs: number;
  /** Whether the protocol's own pings count as frames there. Not known of API Gateway, so the host is strict unless told otherwise. */
  readonly pingsCountAsFrames: boolean;
  /** A connection this old is closed with 1001. */
  readonly connectionLifetimeMs: number;
  /** A larger frame from a client is answered with 1009. */
  readonly maxFrameBytes: number;
  /** The largest message, in either direction. */
  readonly maxMessageBytes: number;
  /** How long the gateway waits for a function. */
  readonly integrationTimeoutMs: number;
  /** The request line and all headers of a request, handshakes too; more is answered with 431. */
  readonly maxHeaderBytes: number;
  /** The largest body of an HTTP API's request. */
  readonly maxBodyBytes: number;
  /** What may wait for a slow client before a post to it is throttled. AWS doesn't publish its figure. */
  readonly maxBufferedBytes: number;
  /**
   * What may be due to a client that doesn't read before it is closed with 1008: what waits for it, and what was throttled since it last took a post.
   * The host's own limit, and the larger of the two.
   */
  readonly maxUnreadBytes: number;
}

export const GATEWAY_LIMITS: GatewayLimits = {
  idleTimeoutMs: 600_000,
  pingsCountAsFrames: false,
  connectionLifetimeMs: 7_200_000,
  maxFrameBytes: 32_768,
  maxMessageBytes: 131_072,
  integrationTimeoutMs: 29_000,
  maxHeaderBytes: 10_240,
  maxBodyBytes: 10_485_760,
  maxBufferedBytes: 1_048_576,
  maxUnreadBytes: 4_194_304,
};
