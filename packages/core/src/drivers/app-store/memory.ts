import type { Clock } from "../../clock.ts";
import type { Application, ApplicationChanges, AppStore } from "../../ports/app-store.ts";

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
    applications.set(application.name, application);
    return application;
  }

  return {
    async create(application) {
      if (find(application.name) !== undefined) return false;
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
      if (application.keys.length >= maxKeys) return "too_many_keys";
      write({ ...application, keys: [...application.keys, key] });
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
