import * as v from "valibot";
import type { ConnectionRegistry } from "./connection-registry.ts";

/*
 * How a host posts to connections of another: many at once by `POST /{service}/@connections`, which API Gateway doesn't have. The body is their ids,
 * divided by commas, a line break, and the frame. The answer is a {@link PostRefusals}, as JSON.
 */

/** Ids of one request. */
export const MAX_IDS = 500;
/** What they add to a frame: 16 characters each, and what divides them. */
export const MAX_IDS_BYTES = MAX_IDS * 17;

/** Those that weren't posted to, by their place among the ids. */
export interface PostRefusals {
  readonly gone: readonly number[];
  readonly throttled: readonly number[];
  readonly failed: readonly number[];
}

const placesSchema = v.array(v.number());
const refusalsSchema = v.object({ gone: placesSchema, throttled: placesSchema, failed: placesSchema });

export function postBody(ids: readonly string[], frame: string): string {
  return `${ids.join(",")}\n${frame}`;
}

/** Of an answer's body. Throws where it isn't one. */
export function postRefusals(body: string): PostRefusals {
  return v.parse(refusalsSchema, JSON.parse(body));
}

/** Posts what such a body says. `undefined` where its frame is too large. */
export function postAll(body: string, registry: ConnectionRegistry, maxBytes: number): PostRefusals | undefined {
  const end = body.indexOf("\n");
  const frame = body.slice(end + 1);
  if (Buffer.byteLength(frame) > maxBytes) return undefined;
  const targets = body
    .slice(0, Math.max(end, 0))
    .split(",")
    .map((id, at) => ({ id, at }));
  const refusals = { gone: [] as number[], throttled: [] as number[], failed: [] as number[] };
  registry.postAll(targets, frame, ({ at }, refusal) => {
    // A gateway gives up waiting in the end.
    refusals[refusal === "hang" ? "failed" : refusal].push(at);
  });
  return refusals;
}
