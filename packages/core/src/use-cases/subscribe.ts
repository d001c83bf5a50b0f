import { ok, type Place, type Result, refuse, type Topic } from "@topicast/protocol";
import type { AppId, Target } from "../model.ts";
import type { Service } from "../service.ts";
import { CONNECTION_VALID_MS } from "./connect.ts";
import { UNKNOWN_CONNECTION } from "./find-sender.ts";

export interface SubscribeTo {
  readonly app: AppId;
  readonly topic: Topic;
  readonly target: Target;
}

export interface Subscribed {
  /** Everything after it comes live. */
  readonly place: Place;
  readonly you: string;
}

/**
 * Subscribes a connection. It registers first and reads the place second, while a publisher appends first and reads the subscribers
 * second: so each message is either up to the place or delivered. Throws `UnavailableError`.
 */
export async function subscribe(
  service: Pick<Service, "connections" | "log" | "settings">,
  { app, topic, target }: SubscribeTo,
): Promise<Result<Subscribed>> {
  const { maxSubscriptions } = service.settings;
  const validUntil = target.connectedAt + CONNECTION_VALID_MS;
  const outcome = await service.connections.subscribe({ app, topic, connection: target, validUntil, maxSubscriptions });
  switch (outcome.status) {
    case "too_many_subscriptions":
      return refuse(
        "too_many_subscriptions",
        `This connection has ${maxSubscriptions} topics, the most it may. Unsubscribe from one first.`,
        maxSubscriptions,
      );
    case "unknown_connection":
      return UNKNOWN_CONNECTION;
    case "subscribed":
      return ok({ place: await service.log.place(app, topic), you: outcome.from });
  }
}
