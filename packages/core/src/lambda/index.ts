export { type AdmissionService, findObstacle } from "./admission.ts";
export { type AuthorizerOptions, authorizerHandler } from "./authorizer.ts";
export { type AuthorizerContext, contextOf } from "./caller.ts";
export { connectResponse } from "./connect.ts";
export { faultOf } from "./faults.ts";
export { health, healthOf } from "./health.ts";
export {
  type HttpAnswer,
  type HttpCall,
  type HttpRequest,
  type HttpResponse,
  type HttpRoutes,
  httpHandler,
  json,
  jsonText,
  NOT_FOUND,
  problem,
} from "./http.ts";
export {
  type ConnectionRoutesService,
  connectionRoutes,
  NO_CONNECTION,
  parseConnectionId,
} from "./http-connections.ts";
export { type QueueService, queueHandler } from "./queue.ts";
export { parseWebSocketEvent, routeResponse, type WebSocketCall, type WebSocketEvent } from "./web-socket.ts";
