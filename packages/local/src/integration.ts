import type { Clock } from "@topicast/core";
import { createDeadlines } from "./deadlines.ts";
import type { Invocation, LambdaFunction } from "./lambda-function.ts";

/** What a gateway has of a function: its answer, its failure, or nothing in time. */
export type Integration = (target: LambdaFunction, event: unknown) => Promise<Invocation | { readonly status: "late" }>;

/** Invokes functions on behalf of a gateway, which waits no longer than `timeoutMs`; the function goes on until its own timeout. */
export function createIntegration(clock: Clock, timeoutMs: number): Integration {
  const deadlines = createDeadlines(clock, timeoutMs);
  return async (target, event) => {
    let cancelDeadline: (() => void) | undefined;
    const late = new Promise<{ readonly status: "late" }>((resolve) => {
      cancelDeadline = deadlines.start(() => resolve({ status: "late" }));
    });
    const outcome = await Promise.race([target.invoke(event), late]);
    cancelDeadline?.();
    return outcome;
  };
}
