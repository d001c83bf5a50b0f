import type { Place, Topic } from "@topicast/protocol";
import type { AppId } from "../model.ts";
import type { Service } from "../service.ts";

/** Subscribers that are counted, in pages; a count beyond is not worth what it costs to read. */
const MAX_COUNTED = 10_000;
const COUNT_PAGE = 1_000;
/** Pages of a count: a page may hold fewer than it could. */
const MAX_PAGES = 20;

export interface TopicDescription {
  /** How far the topic is settled. */
  readonly place: Place;
  readonly subscribers: number;
  /** Where there are more than were counted. */
  readonly approximate?: true;
}

/** Where a topic stands and how many subscribers it has. A topic that nobody has begun begins. Throws `UnavailableError`. */
export async function describeTopic(
  service: Pick<Service, "connections" | "log">,
  app: AppId,
  topic: Topic,
): Promise<TopicDescription> {
  const [place, count] = await Promise.all([service.log.place(app, topic), countSubscribers(service, app, topic)]);
  return { place, ...count };
}

async function countSubscribers({ connections }: Pick<Service, "connections">, app: AppId, topic: Topic) {
  let subscribers = 0;
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES && subscribers < MAX_COUNTED; pages++) {
    const at = cursor === undefined ? {} : { cursor };
    const page = await connections.subscribers({ app, topic, ...at, limit: COUNT_PAGE, freshness: "fresh" });
    subscribers += page.subscribers.length;
    cursor = page.cursor;
    if (cursor === undefined) return { subscribers };
  }
  return { subscribers, approximate: true as const };
}
