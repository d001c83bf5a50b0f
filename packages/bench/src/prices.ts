/** US dollars for each million, us-east-1, on demand, November 2026. Requests to SQS are of 64 KB, messages of API Gateway of 32 KB. */
export const PRICES = { readUnits: 0.125, writeUnits: 0.625, queueRequests: 0.4, posts: 1 };

/** As many as an operation took, counted on the wire. */
export type Counts = Record<keyof typeof PRICES, number>;

/** The same of Lambda and of what clients send and are answered, on arm. */
const OTHER_PRICES = { messages: 1, invocations: 0.2, gigabyteSeconds: 13.3334 };

/** GB of the function that takes a client's request, and of the one that takes jobs; as `serverless.yml` has them. */
const REQUEST_GB = 0.25;
const WORKER_GB = 0.5;

/**
 * What is assumed of the time that Lambdas run, because an emulator can't tell: each waits for DynamoDB, SQS and its posts for 50 ms in all. Beyond that,
 * time goes by the CPU: a post takes 0.25 ms of a core, which a Lambda has for each 1,769 MB.
 */
const WAIT_SECONDS = 0.05;
const POST_CPU_SECONDS = 0.00025;
const CORE_GB = 1.769;

/** What a client's publish took: itself, its ack, and all that came of it. */
export interface Publish {
  readonly counts: Counts;
  /** Batches of jobs that workers got. */
  readonly batches: number;
  /** How long each worker waits for a tick to be over. */
  readonly tickSeconds?: number;
}

/** Dollars for a million, API Gateway's own and all others. */
export function dollarsOf({ counts, batches, tickSeconds = 0 }: Publish): {
  readonly gateway: number;
  readonly others: number;
} {
  const { readUnits, writeUnits, queueRequests, posts } = counts;
  const waiting = WAIT_SECONDS * (REQUEST_GB + batches * WORKER_GB) + tickSeconds * batches * WORKER_GB;
  const gigabyteSeconds = waiting + posts * POST_CPU_SECONDS * CORE_GB;
  return {
    gateway: posts * PRICES.posts + 2 * OTHER_PRICES.messages,
    others:
      readUnits * PRICES.readUnits +
      writeUnits * PRICES.writeUnits +
      queueRequests * PRICES.queueRequests +
      (1 + batches) * OTHER_PRICES.invocations +
      gigabyteSeconds * OTHER_PRICES.gigabyteSeconds,
  };
}

/** All else in parts of what API Gateway charges. */
export function shareOf(publish: Publish): number {
  const { gateway, others } = dollarsOf(publish);
  return others / gateway;
}
