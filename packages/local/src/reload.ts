import type { Environment } from "./backend.ts";
import { prepareAll } from "./functions.ts";
import { type ReloadOptions, readEnvironment } from "./host-options.ts";
import type { ReleaseSettings } from "./releases.ts";
import type { Release, Service } from "./service.ts";

/** What came of a reload. */
export interface Reloaded {
  /** Names of the settings that are others than before. */
  readonly changed: readonly string[];
}

export interface ReloaderOptions {
  readonly services: readonly Service[];
  readonly settings: ReleaseSettings;
  readonly readReleases: (settings: ReleaseSettings) => Promise<readonly Release[]>;
}

export type Reload = (options?: ReloadOptions) => Promise<Reloaded>;

/** Gives all services new settings, or none of them where one can't have them. Who asks meanwhile waits for its turn. */
export function createReload({ services, settings, readReleases }: ReloaderOptions): Reload {
  let current = settings;
  let turn: Promise<unknown> = Promise.resolve();

  async function reload(options: ReloadOptions): Promise<Reloaded> {
    const next = { ...current, ...readEnvironment({ ...current, ...options }) };
    const releases = await readReleases(next);
    const prepared = await prepareAll(services, (service) => service.prepare(releaseOf(service, releases)));
    prepared.take();
    const changed = findChanges(current, next);
    current = next;
    return { changed };
  }

  return (options = {}) => {
    const reloaded = turn.then(() => reload(options));
    // Whoever asked for it is told of its failure; the next one begins all the same.
    turn = reloaded.catch(() => undefined);
    return reloaded;
  };
}

function releaseOf({ name }: Service, releases: readonly Release[]): Release {
  const release = releases.find(({ definition }) => definition.name === name);
  // The folders are those of the start, and their names the services'.
  if (release === undefined) throw new Error(`there is no service "${name}" any more`);
  return release;
}

function findChanges(before: ReleaseSettings, after: ReleaseSettings): string[] {
  const [old, now] = [before, after].map(({ env, environment }): Environment => ({ ...env, ...environment }));
  const names = new Set([...Object.keys({ ...old }), ...Object.keys({ ...now })]);
  return [...names].filter((name) => (old?.[name] || undefined) !== (now?.[name] || undefined)).sort();
}
