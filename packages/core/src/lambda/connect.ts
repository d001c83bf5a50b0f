import type { Result } from "@topicast/protocol";
import type { Connection } from "../model.ts";
import type { Logger } from "../service.ts";
import { faultOf } from "./faults.ts";
import { type HttpResponse, problem } from "./http.ts";

/** The answer of a `$connect` route: the upgrade goes on at 200, anything else is what the client's handshake meets. */
export async function connectResponse(
  logger: Logger,
  connecting: () => Promise<Result<Connection>>,
): Promise<HttpResponse> {
  try {
    const connected = await connecting();
    return connected.ok ? { statusCode: 200 } : problem(connected.fault);
  } catch (error) {
    return problem(faultOf(error, logger));
  }
}
