import type { Json } from "@topicast/protocol";
import type { LoggedMessage } from "../../model.ts";

/** A batch as it is kept. */
export interface Content {
  readonly payloads: readonly Json[];
  readonly from?: string | undefined;
  /** Unix ms at which the service accepted it. */
  readonly time: number;
  /** The value of its idempotency key. */
  readonly key?: string | undefined;
}

/** The messages of a batch under the numbers from `first` on. */
export function messagesOf(first: number, { payloads, from, time, key }: Content): LoggedMessage[] {
  return payloads.map((payload, index) => ({
    seq: first + index,
    payload,
    ...(from !== undefined && { from }),
    time,
    ...(key !== undefined && { key }),
  }));
}
