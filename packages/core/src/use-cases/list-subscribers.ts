import { ok, type PageQuery, type Result, refuse, type Topic } from "@topicast/protocol";
import type { AppId, ConnectionId, Subscriber } from "../model.ts";
import type { Service } from "../service.ts";

/** Reads of one page: the ends of shards may hold few, or nobody. */
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

/** Where a page ends: in a shard, behind a cursor of the store's. */
interface Position {
  readonly shard: number;
  readonly cursor?: string;
}

/** One page of a topic's subscribers, shard by shard. Throws `UnavailableError`. */
export async function listSubscribers(
  service: Pick<Service, "connections">,
  app: AppId,
  topic: Topic,
  { cursor, limit }: PageQuery,
): Promise<Result<SubscriberList>> {
  let position: Position | undefined = cursor === undefined ? { shard: 0 } : parseCursor(cursor);
  if (position === undefined) return refuse("bad_request", "`cursor` is not one that a page came with.");
  const found: Subscriber[] = [];
  for (let reads = 0; reads < MAX_READS && position !== undefined && found.length < limit; reads++) {
    const query = { app, topic, ...position, limit: limit - found.length, freshness: "fresh" } as const;
    const page = await service.connections.subscribers(query);
    found.push(...page.subscribers);
    position = nextOf(position, page);
  }
  const subscribers = await nameAll(service, app, found);
  return ok({ subscribers, ...(position !== undefined && { cursor: formatCursor(position) }) });
}

function nextOf({ shard }: Position, { cursor, shards }: { cursor?: string; shards: number }): Position | undefined {
  if (cursor !== undefined) return { shard, cursor };
  return shard + 1 < shards ? { shard: shard + 1 } : undefined;
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

/** A shard's number and the store's cursor; what is hidden in it is nobody's business. */
function formatCursor({ shard, cursor = "" }: Position): string {
  return Buffer.from(`${shard}.${cursor}`).toString("base64url");
}

const CURSOR = /^(\d{1,6})\.([\w=-]{0,64})$/;

/** Undefined where it can't be one. One that was made up at most misses a page of the topic that is asked about. */
function parseCursor(text: string): Position | undefined {
  const [, shard, cursor] = CURSOR.exec(Buffer.from(text, "base64url").toString("latin1")) ?? [];
  if (shard === undefined || Buffer.from(text, "base64url").toString("base64url") !== text) return undefined;
  return { shard: Number(shard), ...(cursor !== "" && cursor !== undefined && { cursor }) };
}
