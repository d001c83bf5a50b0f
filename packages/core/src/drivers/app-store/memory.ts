import type { Clock } from "../../clock.ts";
import type { Application, ApplicationChanges, AppStore } from "../../ports/app-store.ts";
import { byAge } from "./key-order.ts";

/** Applications in this process. */
export function createMemoryAppStore({ clock }: { readonly clock: Pick<Clock, "now"> }): AppStore {
  const applications = new Map<string, Application>();

  function find(name: string): Application | undefined {
    const application = applications.get(name);
    if (application === undefined || (application.expiresAt ?? Infinity) > clock.now()) return application;
    applications.delete(name);
    return undefined;
  }

  function write(application: Application): Application {
    const written = { ...application, keys: application.keys.toSorted(byAge) };
    applications.set(written.name, written);
    return written;
  }

  return {
    async create(application) {
      const existing = find(application.name);
      if (existing !== undefined && existing.id !== application.id) return false;
      write(application);
      return true;
    },

    get: async (name) => find(name),

    async list({ cursor = "", limit }) {
      const names = [...applications.keys()].filter((name) => name > cursor).sort();
      const page = names.slice(0, limit);
      const last = names.length > limit ? page.at(-1) : undefined;
      const found = page.map(find).filter((application) => application !== undefined);
      return { applications: found, ...(last !== undefined && { cursor: last }) };
    },

    async change(name, changes) {
      const application = find(name);
      return application && write(changed(application, changes));
    },

    async addKey(name, key, maxKeys) {
      const application = find(name);
      if (application === undefined) return "unknown_application";
      const others = application.keys.filter(({ id }) => id !== key.id);
      if (others.length >= maxKeys) return "too_many_keys";
      write({ ...application, keys: [...others, key] });
      return "added";
    },

    async removeKey(name, keyId) {
      const application = find(name);
      const keys = application?.keys.filter(({ id }) => id !== keyId) ?? [];
      if (application === undefined || keys.length === application.keys.length) return false;
      write({ ...application, keys });
      return true;
    },

    async remove(name) {
      return find(name) !== undefined && applications.delete(name);
    },
  };
}

function changed({ maxConnections, expiresAt, ...application }: Application, changes: ApplicationChanges): Application {
  const { topicRules = application.topicRules } = changes;
  const most = changes.maxConnections === undefined ? maxConnections : changes.maxConnections;
  const end = changes.expiresAt === undefined ? expiresAt : changes.expiresAt;
  return {
    ...application,
    topicRules,
    ...(most !== undefined && most !== null && { maxConnections: most }),
    ...(end !== undefined && end !== null && { expiresAt: end }),
  };
}
