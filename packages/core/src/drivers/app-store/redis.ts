import type { Clock } from "../../clock.ts";
import type { Application, AppStore } from "../../ports/app-store.ts";
import { callRedis } from "../redis/call.ts";
import type { Redis } from "../redis/client.ts";
import { APPLICATION_ENDS, APPLICATION_NAMES, applicationKey } from "../redis/keys.ts";
import { runScript, type Script } from "../redis/script.ts";
import { applicationOf, changedFields, type Fields, fieldsOf, keyField, keyText } from "./redis-rows.ts";
import { ADD_KEY, CHANGE, CREATE, REMOVE, REMOVE_KEY } from "./redis-scripts.ts";

export interface RedisAppStoreOptions {
  readonly redis: Redis;
  readonly clock: Pick<Clock, "now">;
}

/** Applications in Redis; `redis/keys.ts` has the keys. Each write is one script, so that those at the same time lose nothing. */
export function createRedisAppStore({ redis, clock }: RedisAppStoreOptions): AppStore {
  function run(script: Script, name: string, args: readonly (string | number)[] = []): Promise<unknown> {
    const keys = [applicationKey(name), APPLICATION_NAMES, APPLICATION_ENDS];
    return runScript(redis, script, keys, [clock.now(), name, ...args]);
  }

  async function readAll(names: readonly string[]): Promise<readonly Application[]> {
    const rows = await callRedis(redis, () => Promise.all(names.map((name) => redis.hgetall(applicationKey(name)))));
    const now = clock.now();
    return names.flatMap((name, i) => applicationOf(name, rows[i] ?? {}, now) ?? []);
  }

  async function get(name: string): Promise<Application | undefined> {
    return (await readAll([name]))[0];
  }

  return {
    get,

    async create(application) {
      const fields = Object.entries(fieldsOf(application)).flat();
      return (await run(CREATE, application.name, [application.id, ...fields])) === 1;
    },

    async list({ cursor, limit }) {
      const after = cursor === undefined ? "-" : `(${cursor}`;
      const names = await callRedis(redis, () => redis.zrangebylex(APPLICATION_NAMES, after, "+", "LIMIT", 0, limit));
      const last = names.length < limit ? undefined : names.at(-1);
      return { applications: await readAll(names), ...(last !== undefined && { cursor: last }) };
    },

    async change(name, changes) {
      const fields = Object.entries(changedFields(changes)).flat();
      if (fields.length === 0) return get(name);
      const changed = (await run(CHANGE, name, fields)) as readonly string[] | null;
      return changed === null ? undefined : applicationOf(name, recordOf(changed), clock.now());
    },

    async addKey(name, key, maxKeys) {
      const outcome = await run(ADD_KEY, name, [keyField(key.id), keyText(key), maxKeys]);
      return outcome as "added" | "too_many_keys" | "unknown_application";
    },

    async removeKey(name, keyId) {
      return (await run(REMOVE_KEY, name, [keyField(keyId)])) === 1;
    },

    async remove(name) {
      return (await run(REMOVE, name)) === 1;
    },
  };
}

/** A hash as scripts return it: each field before its value. */
function recordOf(flat: readonly string[]): Fields {
  const fields = flat.filter((_, i) => i % 2 === 0);
  return Object.fromEntries(fields.map((field, i) => [field, flat[2 * i + 1] ?? ""]));
}
