import { PRICES } from "../prices.ts";
import type { Taken } from "./stores.ts";

/** US dollars of ElastiCache Serverless for Valkey in us-east-1, November 2026. A cache is billed for at least so many GB. */
export const CACHE_PRICES = { million: 0.0023, gigabyteHour: 0.084, leastGigabytes: 0.1 };
/** A NAT gateway, without its data: the way from a VPC to `@connections` where there is no other. */
export const NAT_HOUR = 0.045;
const MONTH_HOURS = 730;

/** What a client and its message take up, and for how long. */
export interface Kept {
  readonly connectionBytes: number;
  readonly connectionHours: number;
  readonly messageBytes: number;
  readonly messageHours: number;
}

/** Dollars for a million of something that takes so many units of DynamoDB. */
export function dynamoDbDollars({ readUnits = 0, writeUnits = 0 }: Taken): number {
  return readUnits * PRICES.readUnits + writeUnits * PRICES.writeUnits;
}

/** Dollars for a million of something that takes so many units of ElastiCache; what is kept comes on top. */
export function processingDollars({ ecpus = 0 }: Taken): number {
  return ecpus * CACHE_PRICES.million;
}

/** Dollars to keep what a million bring. */
export function keepingDollars({ connectionBytes, connectionHours, messageBytes, messageHours }: Kept): number {
  const gigabyteHours = (connectionBytes * connectionHours + messageBytes * messageHours) / 1_000;
  return gigabyteHours * CACHE_PRICES.gigabyteHour;
}

/** Dollars a month for a cache that does nothing. */
export function leastDollars(): number {
  return CACHE_PRICES.leastGigabytes * CACHE_PRICES.gigabyteHour * MONTH_HOURS;
}

export function natDollars(): number {
  return NAT_HOUR * MONTH_HOURS;
}

/** Millions a month from which on a fixed sum pays. Infinite where they never do. */
export function breakEven(fixedDollars: number, dearer: number, cheaper: number): number {
  return cheaper < dearer ? fixedDollars / (dearer - cheaper) : Number.POSITIVE_INFINITY;
}
