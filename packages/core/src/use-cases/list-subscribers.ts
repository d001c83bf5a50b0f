import { ok, type PageQuery, type Result, refuse, type Topic } from "@topicast/protocol";
import type { AppId, ConnectionId, Subscriber } from "../model.ts";
import type { Service } from "../service.ts";

/** Reads of one page: one of the store's may hold few, or nobody. */
const MAX_READS = 10;

export interface ListedSubscriber {
  readonly connectionId: ConnectionId;
  readonly from: string;
  /** Unix ms. */
  readonly subscribedAt: number;
}

export interface SubscriberList {
  /** May be fewer than were asked for, also none, where a cursor comes with them. */
  readonly subscribers: readonly ListedSubscriber[];
  /** Present where more may follow. */
  readonly cursor?: string;
}

/** One page of a topic's subscribers. Throws `UnavailableError`. */
export async function listSubscribers(
  service: Pick<Service, "connections">,
  app: AppId,
  topic: Topic,
  query: PageQuery,
): Promise<Result<SubscriberList>> {
  let cursor = query.cursor === undefined ? undefined : parseCursor(query.cursor);
  if (query.cursor !== undefined && cursor === undefined) {
    return refuse("bad_request", "`cursor` is not one that a page came with.");
  }
  const found: Subscriber[] = [];
  for (let reads = 0; reads < MAX_READS; reads++) {
    const at = cursor === undefined ? {} : { cursor };
    const limit = query.limit - found.length;
    const page = await service.connections.subscribers({ app, topic, ...at, limit, freshness: "fresh" });
    found.push(...page.subscribers);
    cursor = page.cursor;
    if (cursor === undefined || found.length === query.limit) break;
  }
  const subscribers = await nameAll(service, app, found);
  return ok({ subscribers, ...(cursor !== undefined && { cursor: formatCursor(cursor) }) });
}

/** Who has left since the page was read is left out. */
async function nameAll(
  { connections }: Pick<Service, "connections">,
  app: AppId,
  subscribers: readonly Subscriber[],
): Promise<ListedSubscriber[]> {
  if (subscribers.length === 0) return [];
  const ids = subscribers.map(({ id }) => id);
  const names = new Map((await connections.getMany(app, ids)).map(({ id, from }) => [id, from]));
  return subscribers.flatMap(({ id, subscribedAt }) => {
    const from = names.get(id);
    return from === undefined ? [] : [{ connectionId: id, from, subscribedAt }];
  });
}

/** The store's; what is hidden in it is nobody's business. */
function formatCursor(cursor: string): string {
  return Buffer.from(cursor).toString("base64url");
}

const CURSOR = /^[\w=#-]{1,64}$/;

/** Undefined where it can't be one. One that was made up at most misses a page of the topic that is asked about. */
function parseCursor(text: string): string | undefined {
  const cursor = Buffer.from(text, "base64url").toString("latin1");
  return CURSOR.test(cursor) && formatCursor(cursor) === text ? cursor : undefined;
}
