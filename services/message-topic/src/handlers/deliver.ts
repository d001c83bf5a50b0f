import { queueHandler } from "@topicast/core/lambda";
import { applications, clock, connections, envelope, gateway, log, logger, queue, settings } from "../app.ts";

export const handler = queueHandler({
  applications,
  clock,
  connections,
  envelope,
  gateway,
  log,
  logger,
  queue,
  settings,
});
