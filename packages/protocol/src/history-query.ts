import * as v from "valibot";
import { ok, type Result, refuse } from "./codes.ts";
import type { Place } from "./frames.ts";
import { DEFAULT_PAGE_LIMIT, MAX_PAGE_LIMIT } from "./limits.ts";
import { epochSchema, placeSchema, seqSchema } from "./places.ts";
import { check, numberOf, wholeNumberSchema } from "./schema.ts";

/** What of a topic's history is asked for: all after a place, in pages of at most `limit` messages, or the newest `last`. */
export type HistoryQuery = { readonly since: Place; readonly limit: number } | { readonly last: number };

/** The fields that say so in a request over WebSocket. */
export const historyEntries = {
  since: v.optional(placeSchema),
  last: v.optional(wholeNumberSchema(1, MAX_PAGE_LIMIT)),
  limit: v.optional(wholeNumberSchema(1, MAX_PAGE_LIMIT)),
};

/** The query of `GET /topics/{topic…}/messages`, its digits as numbers. */
export const historyQuerySchema = v.object({
  epoch: v.optional(epochSchema),
  seq: v.optional(seqSchema),
  last: historyEntries.last,
  limit: historyEntries.limit,
});

interface HistoryFields {
  readonly since?: Place | undefined;
  readonly last?: number | undefined;
  readonly limit?: number | undefined;
}

/** Exactly one of `since` and `last`. `sinceName` is what the message calls the place. */
export function parseHistory({ since, last, limit }: HistoryFields, sinceName: string): Result<HistoryQuery> {
  if (since !== undefined && last !== undefined) return refuseBoth(sinceName);
  if (since !== undefined) return ok({ since, limit: limit ?? DEFAULT_PAGE_LIMIT });
  if (last === undefined) {
    const message = `\`last\` and ${sinceName} are missing: give \`last\` for the newest messages or ${sinceName} for all after a place.`;
    return refuse("bad_request", message);
  }
  return ok({ last: Math.min(last, limit ?? last) });
}

export function refuseBoth(sinceName: string) {
  return refuse("bad_request", `\`last\` excludes ${sinceName}; give one or the other.`);
}

/** Parses the query of `GET /topics/{topic…}/messages?epoch=&seq=&last=&limit=`. Never throws. */
export function parseHistoryQuery(query: Readonly<Record<string, string | undefined>>): Result<HistoryQuery> {
  const { epoch, seq, last, limit } = query;
  const checked = check(historyQuerySchema, {
    epoch,
    seq: numberOf(seq),
    last: numberOf(last),
    limit: numberOf(limit),
  });
  if (!checked.ok) return checked;
  const place = checked.value;
  if ((place.epoch === undefined) !== (place.seq === undefined)) {
    const missing = place.epoch === undefined ? "epoch" : "seq";
    return refuse("bad_request", `\`${missing}\` is missing: \`epoch\` and \`seq\` are a place together.`);
  }
  const since =
    place.epoch === undefined || place.seq === undefined ? undefined : { epoch: place.epoch, seq: place.seq };
  return parseHistory({ since, last: place.last, limit: place.limit }, "`epoch` and `seq`");
}
