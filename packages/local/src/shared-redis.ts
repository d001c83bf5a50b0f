import type { Clock } from "@topicast/core";
import type { EmbeddedPorts } from "@topicast/core/embedded";
import {
  connectRedis,
  createRedisAppStore,
  createRedisConnectionStore,
  createRedisTopicLog,
  type Redis,
} from "@topicast/core/redis";
import { APPLICATIONS } from "./closed-doors.ts";
import { joinHosts } from "./redis-hosts.ts";
import { StartError } from "./start-error.ts";

/** What of a service is kept where other hosts find it. */
export type Stores = Pick<EmbeddedPorts, "apps" | "connections" | "log">;

/** A Redis that this host shares with others. */
export interface SharedRedis {
  storesOf(service: string): Stores;
  /** Ends the host's part in it, and its connections. */
  close(): Promise<void>;
}

export interface SharedRedisOptions {
  readonly url: string;
  /** What closes this host's doors, as other hosts must close theirs; nothing of it can be told from it. */
  readonly doors: string;
  readonly clock: Clock;
}

/** Throws a {@link StartError} where it can't be reached, or where hosts that share it have other doors. */
export async function openSharedRedis({ url, doors, clock }: SharedRedisOptions): Promise<SharedRedis> {
  const clients: Redis[] = [];
  /** What is kept of each is told apart by what its keys begin with. */
  function connect(name: string): Redis {
    const client = connectRedis(url, { keyPrefix: `topicast:${name}:` });
    clients.push(client);
    return client;
  }
  function disconnect(): void {
    for (const client of clients) client.disconnect();
  }
  try {
    const leave = await joinHosts({ redis: connect("hosts"), doors, clock });
    /** One for all services. */
    const apps = createRedisAppStore({ redis: connect(APPLICATIONS), clock });
    return {
      storesOf(service) {
        const redis = connect(service);
        // Each connection's row says its own host.
        return {
          apps,
          connections: createRedisConnectionStore({ redis, clock }),
          log: createRedisTopicLog({ redis, clock }),
        };
      },
      async close() {
        await leave();
        disconnect();
      },
    };
  } catch (cause) {
    disconnect();
    throw cause instanceof StartError ? cause : new StartError((cause as Error).message, { cause });
  }
}
