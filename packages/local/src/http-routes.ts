export interface HttpMatch<T> {
  readonly routeKey: string;
  readonly target: T;
  readonly pathParameters: Readonly<Record<string, string>>;
}

interface HttpRoute<T> {
  readonly routeKey: string;
  readonly method: string;
  readonly segments: readonly string[];
  readonly target: T;
}

/**
 * The routes of an HTTP API, given by route keys: `GET /path`, `ANY /path` or `$default`. A literal segment goes before `{name}`, that before
 * `{name+}`, a method before `ANY`, and all of them before `$default`.
 */
export function createHttpRoutes<T>(targets: ReadonlyMap<string, T>): {
  /** `path` is decoded. `undefined` where nothing takes the request. */
  match(method: string, path: string): HttpMatch<T> | undefined;
} {
  const routes = [...targets]
    .filter(([routeKey]) => routeKey !== "$default")
    .map(parseRoute)
    .sort(compareRoutes);
  const fallback = targets.get("$default");
  return {
    match(method, path) {
      const segments = path.split("/");
      for (const { routeKey, target, ...route } of routes) {
        const pathParameters = matchRoute(route, method, segments);
        if (pathParameters !== undefined) return { routeKey, target, pathParameters };
      }
      return fallback === undefined ? undefined : { routeKey: "$default", target: fallback, pathParameters: {} };
    },
  };
}

function parseRoute<T>([routeKey, target]: [string, T]): HttpRoute<T> {
  const [method = "", path = ""] = routeKey.split(" ");
  return { routeKey, method, segments: path.split("/"), target };
}

function rank(segment: string | undefined): number {
  if (segment === undefined || !segment.startsWith("{")) return 0;
  return segment.endsWith("+}") ? 2 : 1;
}

function compareRoutes(a: HttpRoute<unknown>, b: HttpRoute<unknown>): number {
  const length = Math.max(a.segments.length, b.segments.length);
  for (let at = 0; at < length; at += 1) {
    const difference = rank(a.segments[at]) - rank(b.segments[at]);
    if (difference !== 0) return difference;
  }
  return Number(a.method === "ANY") - Number(b.method === "ANY");
}

function matchRoute(
  { method, segments }: Pick<HttpRoute<unknown>, "method" | "segments">,
  requestMethod: string,
  path: readonly string[],
): Record<string, string> | undefined {
  if (method !== "ANY" && method !== requestMethod) return undefined;
  const parameters: Record<string, string> = {};
  for (const [at, segment] of segments.entries()) {
    const kind = rank(segment);
    const value = kind === 2 ? path.slice(at).join("/") : path[at];
    if (kind === 0 && value !== segment) return undefined;
    if (kind === 0) continue;
    if (value === undefined || value === "") return undefined;
    parameters[segment.slice(1, kind === 2 ? -2 : -1)] = value;
    if (kind === 2) return parameters;
  }
  return segments.length === path.length ? parameters : undefined;
}
