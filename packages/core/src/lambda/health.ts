import type { ConnectionId } from "../model.ts";
import { DEFAULT_APP } from "../model.ts";
import type { Service } from "../service.ts";
import { type HttpResponse, json, problem } from "./http.ts";

/** Any id will do: what counts is that the store answers. */
const NOBODY = "AAAAAAAAAAAAAAA=" as ConnectionId;

/** `GET /health`: asks the store and the queue, and says which of them failed. */
export async function health({ connections, queue, logger }: Service): Promise<HttpResponse> {
  const checks = { store: connections.get(DEFAULT_APP, NOBODY, "stale"), queue: queue.check() };
  const names = Object.keys(checks);
  const results = await Promise.allSettled(Object.values(checks));
  const failed = names.filter((_, index) => results[index]?.status === "rejected");
  if (failed.length === 0) return json(200, { status: "ok" });
  logger.error("A health check failed.", { failed, results });
  return problem({ code: "unavailable", message: `Not reached: ${failed.join(" and ")}.` }, { failed });
}
