import type { Clock } from "@topicast/core";
import type { Environment } from "./backend.ts";
import type { ClosedDoors } from "./closed-doors.ts";
import { openSharedRedis, type SharedRedis, type Stores } from "./shared-redis.ts";
import { StartError } from "./start-error.ts";

/** Where the stores are that a host shares with others. */
export interface SharedStores {
  /**
   * Those of a service, or `undefined` where the settings ask for none. Throws a {@link StartError} where they can't be had, and where other hosts have them
   * by now with which this one doesn't go together. `address` is where others reach this host, `name:port`.
   */
  find(settings: Environment, service: string, address: string): Promise<Stores | undefined>;
  close(): Promise<void>;
}

export interface SharedStoresOptions {
  readonly clock: Clock;
  /** Absent where they are open. */
  readonly doors: ClosedDoors | undefined;
  readonly log: (line: string) => void;
}

const DEFAULT_REDIS_URL = "redis://127.0.0.1:6379";
const MEMORY = "memory";
const OTHER_STORE =
  "Another store needs a restart, as nothing in this one would come along; with --aws it moves in steps, docs/moving-stores.md";

export function createSharedStores({ clock, doors, log }: SharedStoresOptions): SharedStores {
  const stores = new Map<string, Stores>();
  let first: string | undefined;
  let opening: Promise<SharedRedis> | undefined;

  async function open(url: string, address: string): Promise<SharedRedis> {
    const fit = doors === undefined ? "open" : fitOf(doors);
    return openSharedRedis({ url, doors: fit, address, clock, log });
  }

  return {
    async find(settings, service, address) {
      const place = placeOf(settings);
      first ??= place;
      // Who is connected, subscribed and waiting is known where the host began, and nobody would tell them that they are forgotten.
      if (place !== first) throw new StartError(OTHER_STORE);
      if (place === MEMORY) return undefined;
      opening ??= open(place, address);
      const shared = await opening;
      const known = stores.get(service);
      if (known !== undefined) {
        await shared.check();
        return known;
      }
      const found = shared.storesOf(service);
      stores.set(service, found);
      return found;
    },
    async close() {
      // Who asked for it was told where it failed.
      const shared = await opening?.catch(() => undefined);
      await shared?.close();
    },
  };
}

/** An address of Redis, or memory. */
function placeOf({ STORE, REDIS_URL }: Environment): string {
  if (STORE === "redis") return REDIS_URL || DEFAULT_REDIS_URL;
  if (!STORE || STORE === MEMORY) return MEMORY;
  throw new StartError(`There is no store "${STORE}" without --aws, only memory and redis`);
}

function fitOf({ shared }: ClosedDoors): string {
  if (shared !== undefined) return shared;
  throw new StartError(
    "With --store redis, --auth needs TOPICAST_KEY, TOPICAST_OPERATOR_KEY and ENCRYPTION_KEY, the same for all hosts: what is in Redis outlives each of them",
  );
}
