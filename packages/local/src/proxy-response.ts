import * as v from "valibot";

const proxyResponse = v.object({
  statusCode: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
  headers: v.optional(
    v.record(v.string(), v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String))),
    {},
  ),
  cookies: v.optional(v.array(v.string()), []),
  body: v.optional(v.nullable(v.string())),
  isBase64Encoded: v.optional(v.boolean(), false),
});

/** What a proxy integration returns. */
export type ProxyResponse = v.InferOutput<typeof proxyResponse>;

/** `undefined` where a function returned something else. */
export function parseProxyResponse(value: unknown): ProxyResponse | undefined {
  const parsed = v.safeParse(proxyResponse, value);
  return parsed.success ? parsed.output : undefined;
}

/** A header's value, whatever the casing of its name. */
export function findHeader(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(headers).find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}
