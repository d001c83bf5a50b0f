import type { Clock } from "@topicast/core";
import { createDeadlines } from "./deadlines.ts";
import type { Invocation, LambdaFunction } from "./lambda-function.ts";

/** What a gateway has of a function: its answer, its failure, or nothing in time. */
export type Integration = (target: LambdaFunction, event: unknown) => Promise<Invocation | { readonly status: "late" }>;

const LATE = { status: "late" } as const;

/** Invokes functions on behalf of a gateway, which waits no longer than `timeoutMs`; the function goes on until its own timeout. */
export function createIntegration(clock: Clock, timeoutMs: number): Integration {
  const deadlines = createDeadlines(clock, timeoutMs);
  return (target, event) => deadlines.race(target.invoke(event), LATE);
}
