import type { Topic } from "@topicast/protocol";
import type { AppId } from "../model.ts";
import type { Service } from "../service.ts";
import { type FanOutService, fanOut } from "./fan-out.ts";

/**
 * Begins a topic anew: its history is gone, its numbers count again in a new epoch, and who subscribed until now is told `closing` and
 * unsubscribed, at once or by workers. Repeating it is safe. Throws `UnavailableError`: then repeat it.
 */
export async function deleteTopic(
  service: FanOutService & Pick<Service, "log">,
  app: AppId,
  topic: Topic,
): Promise<void> {
  const time = service.clock.now();
  // First the epoch: who comes back at once must not find the old one. Who subscribes from here on may have the new one already and isn't meant.
  await service.log.restart(app, topic);
  await fanOut(service, { kind: "closing", app, topic, reason: "deleted", time });
}
