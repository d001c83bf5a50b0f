import { refuse } from "@topicast/protocol";
import { UnavailableError } from "../errors.ts";
import { type ConnectionId, DEFAULT_APP } from "../model.ts";
import type { Service } from "../service.ts";
import { type HttpAnswer, json } from "./http.ts";

/** Any id will do: what counts is that the store answers. */
const NOBODY = "AAAAAAAAAAAAAAA=" as ConnectionId;
/** A part that hangs counts as failed, well before the Lambda's own end would hide which part it was. */
const TIMEOUT_MS = 4_000;

export type HealthService = Pick<Service, "clock" | "connections" | "logger" | "queue">;

/** `GET /health`: asks the store and the queue, and says which of them failed. */
export async function health({ connections, queue, ...service }: HealthService): Promise<HttpAnswer> {
  return healthOf(service, { store: connections.get(DEFAULT_APP, NOBODY, "stale"), queue: queue.check() });
}

/** The same for whatever parts there are. */
export async function healthOf(
  { clock, logger }: Pick<Service, "clock" | "logger">,
  checks: Readonly<Record<string, Promise<unknown>>>,
): Promise<HttpAnswer> {
  const timeout = clock.sleep(TIMEOUT_MS).then(() => {
    throw new UnavailableError("store", `No answer in ${TIMEOUT_MS} ms.`);
  });
  const names = Object.keys(checks);
  const results = await Promise.allSettled(Object.values(checks).map((check) => Promise.race([check, timeout])));
  const failed = names.filter((_, index) => results[index]?.status === "rejected");
  if (failed.length === 0) return json(200, { status: "ok" });
  logger.error("A health check failed.", { failed, results });
  return { ...refuse("unavailable", `Not reached: ${failed.join(" and ")}.`), members: { failed } };
}
