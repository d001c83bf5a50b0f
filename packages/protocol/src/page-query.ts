import * as v from "valibot";
import { ok, type Result } from "./codes.ts";
import { MAX_SUBSCRIBERS_LIMIT } from "./limits.ts";
import { check, numberOf, wholeNumberSchema } from "./schema.ts";

/** Which page of a list is asked for. */
export interface PageQuery {
  /** What the page before said; unchecked. */
  readonly cursor?: string;
  readonly limit: number;
}

/** Its digits as numbers. */
export const pageQuerySchema = v.object({
  limit: v.optional(wholeNumberSchema(1, MAX_SUBSCRIBERS_LIMIT), MAX_SUBSCRIBERS_LIMIT),
});

/** Parses the query of `GET /topics/{topic…}/subscribers?cursor=&limit=`. Never throws. */
export function parsePageQuery({ cursor, limit }: Readonly<Record<string, string | undefined>>): Result<PageQuery> {
  const checked = check(pageQuerySchema, { limit: numberOf(limit) });
  return checked.ok ? ok({ ...checked.value, ...(cursor !== undefined && { cursor }) }) : checked;
}
