import { type HistoryQuery, ok, type Result, refuse, type Topic } from "@topicast/protocol";
import type { Caller } from "../access.ts";
import type { Target } from "../model.ts";
import type { Service } from "../service.ts";
import { validUntil } from "./connect.ts";
import { UNKNOWN_CONNECTION } from "./find-sender.ts";
import { type History, readHistory } from "./read-history.ts";

export interface SubscribeTo {
  readonly caller: Pick<Caller, "app" | "expiresAt">;
  readonly topic: Topic;
  readonly target: Target;
  /** What is to be read of the history, too. */
  readonly query?: HistoryQuery;
}

export interface Subscribed {
  /** Everything after its place comes live. Messages only where there was a query. */
  readonly history: Pick<History, "place"> | History;
  readonly you: string;
}

/**
 * Subscribes a connection. It registers first and reads the log second, while a publisher appends first and reads the subscribers
 * second: so each message is either up to the place or delivered, but for one: a message whose fan-out is over, behind a number that is still empty. Its
 * client finds it as it finds a lost tail, or by the gap behind it. Throws `UnavailableError`.
 */
export async function subscribe(
  service: Pick<Service, "applications" | "connections" | "log" | "settings">,
  { caller, topic, target, query }: SubscribeTo,
): Promise<Result<Subscribed>> {
  const { app, expiresAt } = caller;
  const { maxSubscriptions } = service.settings;
  const outcome = await service.connections.subscribe({
    app,
    topic,
    connection: target,
    validUntil: validUntil(target, expiresAt),
    maxSubscriptions,
  });
  switch (outcome.status) {
    case "too_many_subscriptions":
      return refuse(
        "too_many_subscriptions",
        `This connection has ${maxSubscriptions} topics, the most it may. Unsubscribe from one first.`,
        maxSubscriptions,
      );
    case "unknown_connection":
      return UNKNOWN_CONNECTION;
    case "subscribed": {
      const history =
        query === undefined
          ? { place: await service.log.place(app, topic) }
          : await readHistory(service, { app, topic, query });
      return ok({ history, you: outcome.from });
    }
  }
}
