import { queueHandler } from "@topicast/core/lambda";
import { clock, connections, envelope, gateway, log, logger, queue, settings } from "../app.ts";

export const handler = queueHandler({ clock, connections, envelope, gateway, log, logger, queue, settings });
