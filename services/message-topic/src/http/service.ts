import { applications, clock, connections, envelope, gateway, log, logger, queue, settings } from "../app.ts";

/** What the routes need, all of it. */
export const service = { applications, clock, connections, envelope, gateway, log, logger, queue, settings };
