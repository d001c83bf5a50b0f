import { type Clock, UnavailableError } from "@topicast/core";
import type { EmbeddedPorts } from "@topicast/core/embedded";
import {
  connectRedis,
  createRedisAppStore,
  createRedisConnectionStore,
  createRedisTopicLog,
  type Redis,
} from "@topicast/core/redis";
import { APPLICATIONS } from "./closed-doors.ts";
import { guardPort } from "./guarded-port.ts";
import { machineId } from "./machine.ts";
import { type HostPlace, joinHosts } from "./redis-hosts.ts";
import { StartError } from "./start-error.ts";

/** What of a service is kept where other hosts find it. */
export type Stores = Pick<EmbeddedPorts, "apps" | "connections" | "log">;

/** A Redis that this host shares with others. */
export interface SharedRedis {
  storesOf(service: string): Stores;
  /** Throws a {@link StartError} where a host shares it that doesn't go together with this one, or where that can't be asked. */
  check(): Promise<void>;
  /** Ends the host's part in it, and its connections. */
  close(): Promise<void>;
}

export interface SharedRedisOptions extends Omit<HostPlace, "machine"> {
  readonly url: string;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** Throws a {@link StartError} where it can't be reached, or where hosts share it that don't go together with this one. */
export async function openSharedRedis({ url, doors, address, clock, log }: SharedRedisOptions): Promise<SharedRedis> {
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
    const membership = await joinHosts({ redis: connect("hosts"), doors, address, machine: machineId(), log });
    function guarded<T extends object>(port: T): T {
      return guardPort(port, () => {
        const fault = membership.fault();
        return fault === undefined ? undefined : new UnavailableError("store", fault);
      });
    }
    /** One for all services. */
    const apps = guarded(createRedisAppStore({ redis: connect(APPLICATIONS), clock }));
    return {
      storesOf(service) {
        const redis = connect(service);
        // Each connection's row says its own host.
        return {
          apps,
          connections: guarded(createRedisConnectionStore({ redis, clock })),
          log: guarded(createRedisTopicLog({ redis, clock })),
        };
      },
      check: () => membership.check().catch(refuse),
      async close() {
        await membership.leave();
        disconnect();
      },
    };
  } catch (cause) {
    disconnect();
    return refuse(cause);
  }
}

function refuse(cause: unknown): never {
  throw cause instanceof StartError ? cause : new StartError((cause as Error).message, { cause });
}
