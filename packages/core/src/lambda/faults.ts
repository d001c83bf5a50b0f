import type { Fault } from "@topicast/protocol";
import { isUnavailable } from "../errors.ts";
import type { Logger } from "../service.ts";

/** What a client is told of an error; the details go to the log only. */
export function faultOf(error: unknown, logger: Logger): Fault {
  if (isUnavailable(error)) {
    logger.warn(`The ${error.part} is unavailable.`, { error });
    return { code: "unavailable", message: `The ${error.part} is unavailable for the moment. Try again.` };
  }
  logger.error("Something unforeseen failed.", { error });
  return { code: "internal", message: "Something failed on our side. Try again; the log has the details." };
}
