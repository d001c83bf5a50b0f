import type { Topic } from "@topicast/protocol";
import type { Clock } from "./clock.ts";
import { type AppId, DEFAULT_APP } from "./model.ts";
import { parseTopicRules } from "./parse-topic-rules.ts";
import type { Application, ApplicationKey, AppStore } from "./ports/app-store.ts";
import { DEFAULT_RULE, ruleFor, type TopicRule, type TopicRules } from "./topic-rules.ts";

/** How old what a service knows of an application may be: so long a key that was removed may still open. */
export const CACHE_MS = 30_000;
/** Before it says that there is no such application or key it looks again, at most once in this time for each name. */
const LOOK_AGAIN_MS = 1_000;
/** Names that are remembered, also of applications that there aren't. */
const MAX_NAMES = 1_000;

/** An application as a service needs it. */
export interface KnownApplication extends Pick<Application, "id" | "name" | "keys"> {
  /** Its own and then the deployment's. */
  readonly rules: TopicRules;
  readonly maxConnections?: number;
  /** Unix ms. */
  readonly expiresAt?: number;
}

/** The applications that a service serves, remembered for {@link CACHE_MS}. Every method may throw `UnavailableError`. */
export interface Applications {
  /** By what its data is kept under; `undefined` where it is gone. */
  find(id: AppId): Promise<KnownApplication | undefined>;
  /** `isEnough`: one that isn't may be outdated, and is looked up again. */
  findByName(
    name: string,
    isEnough?: (application: KnownApplication) => boolean,
  ): Promise<KnownApplication | undefined>;
}

/** Where doors are open there is one application, for everyone. */
export function openApplications(rules: TopicRules): Applications {
  const application: KnownApplication = { id: DEFAULT_APP, name: DEFAULT_APP, keys: [], rules };
  return {
    find: async (id) => (id === application.id ? application : undefined),
    findByName: async (name) => (name === application.name ? application : undefined),
  };
}

/** What holds for a topic of an application; of one that is gone, the default. Throws `UnavailableError`. */
export async function findRule(applications: Applications, app: AppId, topic: Topic): Promise<TopicRule> {
  const application = await applications.find(app);
  return application === undefined ? DEFAULT_RULE : ruleFor(application.rules, topic);
}

interface Entry {
  readonly readAt: number;
  readonly application: Promise<KnownApplication | undefined>;
}

export interface ApplicationsOptions {
  readonly apps: AppStore;
  readonly clock: Clock;
  /** The deployment's. */
  readonly rules: TopicRules;
}

export function createApplications({ apps, clock, rules }: ApplicationsOptions): Applications {
  const entries = new Map<string, Entry>();

  async function read(name: string): Promise<KnownApplication | undefined> {
    const application = await apps.get(name);
    if (application === undefined) return undefined;
    const { topicRules, id, keys, maxConnections, expiresAt } = application;
    const own = parseTopicRules(topicRules);
    if ("faults" in own) throw new Error(`The topic rules of the application ${name} are wrong: ${own.faults}`);
    return {
      id,
      name,
      keys,
      rules: [...own.rules, ...rules],
      ...(maxConnections !== undefined && { maxConnections }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
  }

  /** One read for all who ask at once; one that fails is not remembered. */
  function lookUp(name: string): Entry {
    const entry: Entry = { readAt: clock.now(), application: read(name) };
    entries.delete(name);
    entries.set(name, entry);
    const [oldest] = entries.keys();
    if (entries.size > MAX_NAMES && oldest !== undefined) entries.delete(oldest);
    // Who asked is told of the failure by the promise itself.
    entry.application.catch(() => entries.get(name) === entry && entries.delete(name));
    return entry;
  }

  function isYoung({ readAt }: Entry): boolean {
    return clock.now() - readAt < LOOK_AGAIN_MS;
  }

  async function findByName(name: string, isEnough: (application: KnownApplication) => boolean = () => true) {
    const known = entries.get(name);
    const entry = known !== undefined && clock.now() - known.readAt < CACHE_MS ? known : lookUp(name);
    const application = alive(await entry.application, clock);
    if (application !== undefined && isEnough(application)) return application;
    // Of many who ask at once, only the first looks again.
    const latest = entries.get(name) ?? entry;
    if (latest === entry && isYoung(entry)) return application;
    return alive(await (isYoung(latest) ? latest : lookUp(name)).application, clock);
  }

  return {
    findByName,
    async find(id) {
      const application = await findByName(nameOf(id), (found) => found.id === id);
      return application?.id === id ? application : undefined;
    },
  };
}

/** One of an application's keys, unless it has expired. */
export function findKey({ keys }: KnownApplication, keyId: string, now: number): ApplicationKey | undefined {
  return keys.find(({ id, expiresAt = Infinity }) => id === keyId && expiresAt > now);
}

function alive(application: KnownApplication | undefined, clock: Clock): KnownApplication | undefined {
  return (application?.expiresAt ?? Infinity) > clock.now() ? application : undefined;
}

/** No name holds a `~`. */
const DIVIDER = "~";

/** `generation`: another one each time. */
export function appIdOf(name: string, generation: string): AppId {
  return `${name}${DIVIDER}${generation}` as AppId;
}

export function nameOf(id: AppId): string {
  return id.split(DIVIDER, 1)[0] ?? "";
}
