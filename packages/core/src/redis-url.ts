/** Where Redis is, as `REDIS_URL` says it. */
export interface RedisAddress {
  /** At least one. Those of a cluster are where it is asked first. */
  readonly nodes: readonly RedisNode[];
  readonly cluster: boolean;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  /** The number of the database; 0 in a cluster. */
  readonly database: number;
}

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 6379;
const FORMS =
  "must be redis://host:port or rediss://host:port, with user:password@ before the host where it asks for them; several hosts divided by commas, or ?cluster=yes behind one, are a cluster.";

/**
 * Understands `redis://` and, with TLS, `rediss://`: `redis://user:password@host:port/database`. Several hosts divided by commas are a cluster, each with
 * the scheme or without, and so is one host with `?cluster=yes`, which has a single address for all of its nodes. What isn't understood is a fault, a text that
 * goes behind the variable's name and has nothing of the URL, which may hold a password.
 */
export function parseRedisUrl(text: string): RedisAddress | { readonly fault: string } {
  const scheme = /^rediss?:\/\//.exec(text)?.[0];
  if (scheme === undefined) return { fault: FORMS };
  const urls = text.split(",").map((part) => urlOf(part.startsWith(scheme) ? part : `${scheme}${part}`));
  const parsed = urls.filter((url) => url !== undefined);
  const signed = parsed.find(({ username, password }) => username !== "" || password !== "");
  const last = parsed.at(-1);
  if (last === undefined || parsed.length < urls.length) return { fault: FORMS };
  const cluster = urls.length > 1 || last.searchParams.get("cluster") === "yes";
  const database = Number(last.pathname.slice(1));
  if (!Number.isInteger(database)) return { fault: FORMS };
  if (cluster && database !== 0) return { fault: "must name no database: a cluster has only one." };
  const { username, password } = signed ?? last;
  return {
    nodes: parsed.map(nodeOf),
    cluster,
    tls: scheme === "rediss://",
    ...(username !== "" && { username: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
    database,
  };
}

function urlOf(text: string): URL | undefined {
  try {
    const url = new URL(text);
    decodeURIComponent(url.username + url.password);
    return url.hostname === "" ? undefined : url;
  } catch {
    // No URL, which is what was asked.
    return undefined;
  }
}

function nodeOf({ hostname, port }: URL): RedisNode {
  // The brackets of an IPv6 address are the URL's.
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? DEFAULT_PORT : Number(port) };
}
