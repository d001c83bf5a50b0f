import type { LambdaFunction } from "./lambda-function.ts";

export interface WebSocketTarget {
  readonly function: LambdaFunction;
  /** Whether a returned `body` reaches the client. */
  readonly answers: boolean;
}

/** Decides who connects. */
export interface Authorizer {
  readonly function: LambdaFunction;
  readonly identitySource: readonly string[];
}

export interface WebSocketRoutes {
  /** Of `$connect`: API Gateway has none elsewhere. */
  readonly authorizer: Authorizer | undefined;
  readonly connect: WebSocketTarget | undefined;
  readonly disconnect: WebSocketTarget | undefined;
  /** Where a message goes; `undefined` where nothing takes it. */
  select(body: string): { readonly routeKey: string; readonly target: WebSocketTarget } | undefined;
}

/** `selectionPath` is where in a JSON body the route key stands. */
export function createWebSocketRoutes(
  functions: readonly LambdaFunction[],
  selectionPath: readonly string[],
): WebSocketRoutes {
  const targets = new Map<string, WebSocketTarget>();
  for (const lambdaFunction of functions) {
    for (const { routeKey, answers } of lambdaFunction.definition.webSocketRoutes) {
      targets.set(routeKey, { function: lambdaFunction, answers });
    }
  }
  return {
    authorizer: findAuthorizer(functions),
    connect: targets.get("$connect"),
    disconnect: targets.get("$disconnect"),
    select(body) {
      // `$connect` and `$disconnect` can be selected by a client too: API Gateway does not keep them apart.
      for (const routeKey of [readRouteKey(body, selectionPath), "$default"]) {
        const target = routeKey === undefined ? undefined : targets.get(routeKey);
        if (routeKey !== undefined && target !== undefined) return { routeKey, target };
      }
      return undefined;
    },
  };
}

function findAuthorizer(functions: readonly LambdaFunction[]): Authorizer | undefined {
  const routes = functions.flatMap(({ definition }) => definition.webSocketRoutes);
  const found = routes.find(({ authorizer }) => authorizer !== undefined)?.authorizer;
  const authorizing = functions.find(({ definition }) => definition.name === found?.name);
  return found && authorizing && { function: authorizing, identitySource: found.identitySource };
}

function readRouteKey(body: string, path: readonly string[]): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // What is not JSON has no route key.
    return undefined;
  }
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}
