import type { Result } from "@topicast/protocol";
import type { Connection } from "../model.ts";
import type { Logger } from "../service.ts";
import { faultOf } from "./faults.ts";
import { type HttpResponse, problem } from "./http.ts";
import { BEARER_SUBPROTOCOL, offersBearer } from "./token.ts";
import type { WebSocketCall } from "./web-socket.ts";

/** The answer of a `$connect` route: the upgrade goes on at 200, anything else is what the client's handshake meets. */
export async function connectResponse(
  logger: Logger,
  headers: WebSocketCall["headers"],
  connecting: () => Promise<Result<Connection>>,
): Promise<HttpResponse> {
  try {
    const connected = await connecting();
    if (!connected.ok) return problem(connected.fault);
    // A browser that offered subprotocols breaks off where none of them is answered.
    return {
      statusCode: 200,
      ...(offersBearer(headers) && { headers: { "Sec-WebSocket-Protocol": BEARER_SUBPROTOCOL } }),
    };
  } catch (error) {
    return problem(faultOf(error, logger));
  }
}
