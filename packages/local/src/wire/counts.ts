/** What was asked over the wire since the host started, refused requests too. */
export interface WireCounts {
  /** Requests to DynamoDB by operation. */
  readonly storeRequests: Readonly<Record<string, number>>;
  /** As DynamoDB reports them. */
  readonly readUnits: number;
  /** The same, and one for each conditional write that was refused: AWS charges that by the size of the item. */
  readonly writeUnits: number;
  /** Requests to SQS by operation as they are billed: each 64 KB begun counts as one. The event sources' own are `ReceiveMessage` and `DeleteMessageBatch`. */
  readonly queueRequests: Readonly<Record<string, number>>;
  /** Requests to post to a connection. */
  readonly posts: number;
}

/** SQS bills each 64 KB of a request or its answer as one request. */
const BILLED_BYTES = 65_536;

/** The counting side. */
export interface WireMeter {
  countStoreRequest(operation: string): void;
  countUnits(kind: "readUnits" | "writeUnits", units: number): void;
  /** `bytes` of the request or of its answer, whichever is larger. */
  countQueueRequest(operation: string, bytes: number): void;
  read(): Omit<WireCounts, "posts">;
}

export function createWireMeter(): WireMeter {
  const storeRequests: Record<string, number> = {};
  const queueRequests: Record<string, number> = {};
  const units = { readUnits: 0, writeUnits: 0 };
  return {
    countStoreRequest(operation) {
      storeRequests[operation] = (storeRequests[operation] ?? 0) + 1;
    },
    countUnits(kind, count) {
      units[kind] += count;
    },
    countQueueRequest(operation, bytes) {
      queueRequests[operation] = (queueRequests[operation] ?? 0) + Math.max(1, Math.ceil(bytes / BILLED_BYTES));
    },
    read: () => ({ storeRequests: { ...storeRequests }, ...units, queueRequests: { ...queueRequests } }),
  };
}
