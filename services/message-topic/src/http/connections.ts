import { sendToConnection } from "@topicast/core";
import {
  connectionRoutes as commonRoutes,
  type HttpAnswer,
  type HttpCall,
  json,
  NO_CONNECTION,
  parseConnectionId,
} from "@topicast/core/lambda";
import { parseHttpDirect } from "@topicast/protocol";
import { service } from "./service.ts";

export const connectionRoutes = {
  ...commonRoutes(service),

  async "POST /connections/{id}/messages"(call: HttpCall): Promise<HttpAnswer> {
    const id = parseConnectionId(call, "publish", call.names.id);
    if (!id.ok) return id;
    const direct = parseHttpDirect(call.body);
    if (!direct.ok) return direct;
    const message = { ...direct.value, time: service.clock.now() };
    const isSent = await sendToConnection(service, call.app, id.value, message);
    return isSent ? json(202, { connections: 1 }) : NO_CONNECTION;
  },
};
