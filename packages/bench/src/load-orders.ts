import type { DialectName } from "./dialects/index.ts";

/** What the load generator is asked to do, one after the other. */
export type LoadOrder =
  | { readonly type: "connect"; readonly url: string; readonly dialect: DialectName; readonly connections: number }
  /** Has each topic get so many subscribers among the connections, all with as many topics. */
  | { readonly type: "subscribe"; readonly topics: number; readonly subscribersOfEach: number }
  /** Publishes as fast as deliveries arrive, to one topic after the other: so many are under way at any moment. */
  | { readonly type: "flood"; readonly outstanding: number; readonly seconds: number }
  /** Publishes at a fixed pace, whatever arrives. */
  | { readonly type: "pace"; readonly perSecond: number; readonly seconds: number };

/** What an order yields besides what it took; publishing also that each subscriber got each message of its topics once. */
export interface LoadResults {
  readonly connect: Record<never, never>;
  readonly subscribe: Record<never, never>;
  /** The seconds are those until the last delivery. */
  readonly flood: { readonly deliveries: number; readonly elapsedSeconds: number };
  /** From the moment at which a message was due to be sent until a subscriber has read it. */
  readonly pace: { readonly deliveries: number; readonly p50Ms: number; readonly p99Ms: number };
}

export interface Took {
  readonly elapsedSeconds: number;
  /** Of the load generator. */
  readonly cpuSeconds: number;
}

/** What it answers to each. */
export type LoadAnswer =
  | { readonly type: "done"; readonly took: Took; readonly result: LoadResults[LoadOrder["type"]] }
  | { readonly type: "failed"; readonly message: string };
