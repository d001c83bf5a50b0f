import type { HistoryQuery, Place, Topic } from "@topicast/protocol";
import { findRule } from "../applications.ts";
import type { AppId, LoggedMessage } from "../model.ts";
import type { Service } from "../service.ts";

export interface HistoryInput {
  readonly app: AppId;
  readonly topic: Topic;
  readonly query: HistoryQuery;
}

export interface History {
  /** How far the topic is settled. */
  readonly place: Place;
  /** False where something after the place that was asked for is gone: then there are no messages. */
  readonly recovered: boolean;
  /** Oldest first. */
  readonly messages: readonly LoggedMessage[];
  /** Whether more follow the last of these, up to the place; of the newest, whether some that were asked for are left out. */
  readonly more: boolean;
}

/** What a topic's history keeps after a place, or its newest messages. Throws `UnavailableError`. */
export async function readHistory(
  { applications, log }: Pick<Service, "applications" | "log">,
  { app, topic, query }: HistoryInput,
): Promise<History> {
  const { retention } = await findRule(applications, app, topic);
  if ("last" in query) {
    const latest = await log.readLatest(app, topic, { limit: query.last, retention });
    return { ...latest, recovered: true };
  }
  const page = await log.readSince(app, topic, query.since, { limit: query.limit, retention });
  return page.recovered ? page : { ...page, messages: [], more: false };
}
