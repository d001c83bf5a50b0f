import * as v from "valibot";
import { errorFrame } from "./error-frame.ts";
import { findHeader } from "./proxy-response.ts";
import { type AuthorizerContext, createAuthorizerEvent, type WebSocketEvent } from "./web-socket-events.ts";
import type { Refusal } from "./web-socket-handshake.ts";
import type { WebSocketApiOptions } from "./web-socket-options.ts";

/** What an authorizer decided. */
export type Authorization =
  | { readonly allowed: true; readonly context?: AuthorizerContext }
  | { readonly allowed: false; readonly refusal: Refusal };

/** What an authorizer throws for a client without a valid token: API Gateway's own word for 401. */
export const UNAUTHORIZED = "Unauthorized";

const policySchema = v.object({
  principalId: v.string(),
  policyDocument: v.object({
    Statement: v.pipe(
      v.array(v.object({ Effect: v.picklist(["Allow", "Deny"]), Action: v.unknown(), Resource: v.unknown() })),
      v.minLength(1),
    ),
  }),
  context: v.optional(
    v.record(v.string(), v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String))),
    {},
  ),
});

/**
 * Asks the authorizer of `$connect`, where there is one. As on AWS: a missing identity source is 401 without a call, the error `Unauthorized` 401, a policy
 * that denies 403, and what can't be understood, or fails otherwise, 500. Policies aren't evaluated: one that denies anything denies.
 */
export async function authorize(
  { address, routes, integrate, log }: Pick<WebSocketApiOptions, "address" | "routes" | "integrate" | "log">,
  event: WebSocketEvent,
): Promise<Authorization> {
  const { authorizer } = routes;
  if (authorizer === undefined) return { allowed: true };
  const { connectionId, requestId } = event.requestContext;
  const refuse = (status: number, message: string): Authorization => ({
    allowed: false,
    refusal: { status, body: errorFrame(message, connectionId, requestId), contentType: "application/json" },
  });
  if (authorizer.identitySource.some((source) => !isGiven(source, event))) return refuse(401, "Unauthorized");
  const outcome = await integrate(authorizer.function, createAuthorizerEvent(address, event));
  if (outcome.status === "failed" && outcome.message === UNAUTHORIZED) return refuse(401, "Unauthorized");
  const policy = v.safeParse(policySchema, outcome.status === "returned" ? outcome.value : undefined);
  if (!policy.success) {
    if (outcome.status === "returned") log(`${address.stage}: the authorizer returned no valid policy`);
    return refuse(500, "Internal server error");
  }
  const { principalId, policyDocument, context } = policy.output;
  if (policyDocument.Statement.some(({ Effect }) => Effect === "Deny")) return refuse(403, "Forbidden");
  return { allowed: true, context: { ...context, principalId } };
}

function isGiven(source: string, { headers = {}, queryStringParameters = {} }: WebSocketEvent): boolean {
  const [, , kind, name = ""] = source.split(".");
  const value = kind === "header" ? findHeader(headers, name.toLowerCase()) : queryStringParameters[name];
  return value !== undefined && value !== "";
}
