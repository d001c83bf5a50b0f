import type { SQSRecord } from "aws-lambda";
import * as v from "valibot";
import type { Invocation, LambdaFunction } from "./lambda-function.ts";
import type { QueueSource } from "./service-definition.ts";

const batchResponse = v.object({
  batchItemFailures: v.optional(v.nullable(v.array(v.object({ itemIdentifier: v.string() }))), []),
});

/** Hands a batch to a function; resolves with the ids of the messages that failed and come again. */
export async function invokeWithBatch(
  target: LambdaFunction,
  source: QueueSource,
  Records: SQSRecord[],
): Promise<ReadonlySet<string>> {
  const messageIds = new Set(Records.map(({ messageId }) => messageId));
  return findFailed(messageIds, await target.invoke({ Records }), source.reportsItemFailures);
}

/**
 * Which messages of a batch come again. A failed invocation fails all; a partial batch response those it names. One that is malformed, or
 * names a message that isn't in the batch, fails all too, as on Lambda.
 */
function findFailed(all: ReadonlySet<string>, outcome: Invocation, reportsItemFailures: boolean): ReadonlySet<string> {
  if (outcome.status === "failed") return all;
  if (!reportsItemFailures || outcome.value === undefined || outcome.value === null) return new Set();
  const response = v.safeParse(batchResponse, outcome.value);
  if (!response.success) return all;
  const named = (response.output.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  return named.every((messageId) => all.has(messageId)) ? new Set(named) : all;
}
