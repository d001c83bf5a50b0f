import type { ApplicationKey } from "../../ports/app-store.ts";

/** The older one first; of two that are of one millisecond, by their ids. */
export function byAge(a: ApplicationKey, b: ApplicationKey): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}
