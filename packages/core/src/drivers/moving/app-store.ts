import type { Application, AppStore } from "../../ports/app-store.ts";

/** Applications and keys are few: of each page of one store, the other is asked for so many at most. */
const MAX_FOLLOWED_PAGES = 100;

export interface MovingAppStoreOptions {
  /** The first is where they are to be: it is asked first. */
  readonly stores: readonly [AppStore, AppStore];
}

/**
 * Applications in two stores, while they move from one to the other: written to both, read from the first, or where only the other has them from there. They
 * don't end by themselves, as connections do: a list that was read to its end has made both alike, as the first has what both have, and learns of what only the
 * other has. It is whoever lists and changes them that writes; services, which ask for one by its name, may have no right to.
 *
 * A write is done when both have it. Where one half fails, all of it does, and a repeat makes it good. Nobody may change applications while some processes
 * have the stores in one order, and some in the other.
 */
export function createMovingAppStore({ stores }: MovingAppStoreOptions): AppStore {
  const [first, second] = stores;

  /** Where it is removed meanwhile, so is the copy. */
  async function copy(application: Application): Promise<void> {
    const { name, id } = application;
    await first.create(application);
    if ((await second.get(name))?.id !== id) await first.remove(name);
  }

  async function get(name: string): Promise<Application | undefined> {
    return (await first.get(name)) ?? second.get(name);
  }

  /** Whoever knew only the first may have changed it there. */
  async function refresh(known: Application, other: Application | undefined): Promise<void> {
    if (JSON.stringify(known) === JSON.stringify(other)) return;
    await second.remove(known.name);
    await second.create(known);
  }

  async function changeBoth<T>(name: string, change: (store: AppStore) => Promise<T>): Promise<T> {
    const [known, other] = await Promise.all([first.get(name), second.get(name)]);
    if (known !== undefined) await refresh(known, other);
    else if (other !== undefined) await copy(other);
    const outcome = await change(first);
    await change(second);
    return outcome;
  }

  /** The names of one store from a cursor on, up to the end of the other's page. */
  async function between(cursor: string | undefined, upTo: string | undefined, limit: number): Promise<Application[]> {
    const found: Application[] = [];
    let at = cursor;
    for (let pages = 0; pages < MAX_FOLLOWED_PAGES; pages++) {
      const page = await second.list({ ...(at !== undefined && { cursor: at }), limit });
      found.push(...page.applications.filter(({ name }) => upTo === undefined || name <= upTo));
      at = page.cursor;
      if (at === undefined || (upTo !== undefined && at >= upTo)) break;
    }
    return found;
  }

  return {
    async create(application) {
      const existing = await get(application.name);
      if (existing !== undefined && existing.id !== application.id) return false;
      return (await second.create(application)) && first.create(application);
    },

    get,

    async list({ cursor, limit }) {
      const page = await first.list({ ...(cursor !== undefined && { cursor }), limit });
      const others = await between(cursor, page.cursor, limit);
      const known = new Set(page.applications.map(({ name }) => name));
      const missing = others.filter(({ name }) => !known.has(name));
      for (const each of missing) await copy(each);
      for (const each of page.applications)
        await refresh(
          each,
          others.find(({ name }) => name === each.name),
        );
      const all = [...page.applications, ...missing].sort((one, other) => (one.name < other.name ? -1 : 1));
      const cut = all.slice(0, limit);
      const last = all.length > limit ? cut.at(-1)?.name : page.cursor;
      return { applications: cut, ...(last !== undefined && { cursor: last }) };
    },

    change: (name, changes) => changeBoth(name, (store) => store.change(name, changes)),
    addKey: (name, key, maxKeys) => changeBoth(name, (store) => store.addKey(name, key, maxKeys)),
    removeKey: (name, keyId) => changeBoth(name, (store) => store.removeKey(name, keyId)),

    async remove(name) {
      const wasThere = await second.remove(name);
      return (await first.remove(name)) || wasThere;
    },
  };
}
