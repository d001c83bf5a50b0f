import type { OpenConnection } from "./connection-registry.ts";

type Found = OpenConnection | "gone";

/** The connections of lists of targets. A store gives the same list again while nobody comes or goes, and looking up each by its id costs more than posting. */
export interface Lookups {
  find(targets: readonly { readonly id: string }[]): readonly Found[];
  /** To be called whenever a connection comes or goes. */
  forget(): void;
}

/** Short lists are looked up anew. */
const MIN_TARGETS = 64;

export function createLookups(connections: ReadonlyMap<string, OpenConnection>): Lookups {
  let known = new WeakMap<readonly unknown[], readonly Found[]>();
  let isEmpty = true;

  return {
    find(targets) {
      const before = known.get(targets);
      if (before !== undefined) return before;
      const found = targets.map(({ id }) => connections.get(id) ?? "gone");
      if (found.length < MIN_TARGETS) return found;
      known.set(targets, found);
      isEmpty = false;
      return found;
    },
    forget() {
      if (isEmpty) return;
      known = new WeakMap();
      isEmpty = true;
    },
  };
}
