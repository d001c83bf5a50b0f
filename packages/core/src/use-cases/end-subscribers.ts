import pLimit from "p-limit";
import { isUnavailable } from "../errors.ts";
import { type AppId, CONNECTION_VALID_MS, type Subscriber } from "../model.ts";
import type { Fanout } from "../ports/fanout-queue.ts";
import type { Service } from "../service.ts";
import { closeConnection, type EndConnectionService, type Ending } from "./end-connection.ts";

type EndService = EndConnectionService & Pick<Service, "logger">;

/** Connections of one page that are ended; the next delivery finds the others again. */
const MAX_ENDED = 100;
const END_CONCURRENCY = 10;

/**
 * Ends connections that a page of subscribers told of: tells them why, closes and forgets them, as many as it can in time. What fails is logged and
 * left for the next delivery, so nothing hangs on it.
 */
export async function endSubscribers(
  service: EndService,
  { app, topic }: Pick<Fanout, "app" | "topic">,
  subscribers: readonly Subscriber[],
  { ending, forMs }: { readonly ending: Ending; readonly forMs: number },
): Promise<void> {
  const { clock, connections, logger } = service;
  const until = clock.now() + forMs;
  await pLimit(END_CONCURRENCY).map(subscribers.slice(0, MAX_ENDED), async (subscriber) => {
    if (clock.now() >= until) return;
    try {
      if (subscriber.connectedAt + CONNECTION_VALID_MS > clock.now())
        await closeConnection(service, subscriber, ending);
      const isKnown = await connections.disconnect(app, subscriber.id);
      // A subscribe that ran beside a disconnect may have left its subscription behind.
      if (!isKnown) await connections.endSubscription(app, topic, subscriber);
    } catch (error) {
      // The delivery itself is done.
      logger.warn("A subscriber's connection could not be ended.", { connectionId: subscriber.id, ...ending, error });
    }
  });
}

/** Where that can't be read it is there: rather a message too many of one that is gone than none for all. */
export async function isApplicationGone(
  { applications, logger }: Pick<Service, "applications" | "logger">,
  app: AppId,
): Promise<boolean> {
  try {
    return (await applications.find(app)) === undefined;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    logger.warn("Whether an application is still there could not be read; its messages are delivered.", { error });
    return false;
  }
}
