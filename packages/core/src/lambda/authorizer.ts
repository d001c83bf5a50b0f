import type { APIGatewayRequestAuthorizerEvent } from "aws-lambda";
import type { AllowedOrigins } from "../doors.ts";
import type { TokenCheck } from "../use-cases/check-token.ts";
import { type AuthorizerContext, contextOf } from "./caller.ts";
import { findOriginFault } from "./cors.ts";
import { tokenOf } from "./token.ts";
import { lowerCased } from "./web-socket.ts";

export interface AuthorizerOptions {
  /** The service's name. */
  readonly service: string;
  readonly allowedOrigins: AllowedOrigins;
  readonly checkToken: TokenCheck;
}

/** What an authorizer of a WebSocket API returns. */
export interface AuthorizerResult {
  readonly principalId: string;
  readonly policyDocument: {
    readonly Version: "2012-10-17";
    readonly Statement: readonly {
      readonly Action: "execute-api:Invoke";
      readonly Effect: "Allow" | "Deny";
      readonly Resource: string;
    }[];
  };
  readonly context?: AuthorizerContext;
}

/**
 * A Lambda authorizer for `$connect`. A client without a valid token is answered 401, a page of a foreign origin 403; where that can't be told, because
 * a store failed, 500.
 */
export function authorizerHandler({ service, allowedOrigins, checkToken }: AuthorizerOptions) {
  return async (event: APIGatewayRequestAuthorizerEvent): Promise<AuthorizerResult> => {
    const headers = lowerCased(event.headers ?? {});
    const { origin } = headers;
    if (findOriginFault(allowedOrigins, origin) !== undefined) return resultOf("Deny", event.methodArn);
    const query = event.queryStringParameters ?? {};
    const { sourceIp } = event.requestContext.identity;
    const caller = await checkToken({ token: tokenOf(headers, query), service, room: query.room_id, origin, sourceIp });
    if (caller.ok) return { ...resultOf("Allow", event.methodArn), context: contextOf(caller.value) };
    // API Gateway's own word for 401.
    throw new Error("Unauthorized");
  };
}

function resultOf(Effect: "Allow" | "Deny", Resource: string): AuthorizerResult {
  const Statement = [{ Action: "execute-api:Invoke", Effect, Resource }] as const;
  return { principalId: "client", policyDocument: { Version: "2012-10-17", Statement } };
}
