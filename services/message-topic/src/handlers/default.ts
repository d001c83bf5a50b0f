import { routeResponse, type WebSocketEvent } from "@topicast/core/lambda";
import { refusalOf } from "../request-handler.ts";

/** Takes what no other route does, and says what is wrong with it. */
export async function handler({ body = "" }: WebSocketEvent) {
  return routeResponse(refusalOf(body));
}
