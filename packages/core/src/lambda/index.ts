export { connectResponse } from "./connect.ts";
export { faultOf } from "./faults.ts";
export { health } from "./health.ts";
export { type HttpCall, type HttpResponse, httpHandler, json, jsonText, notFound, problem } from "./http.ts";
export { type QueueService, queueHandler } from "./queue.ts";
export { parseWebSocketEvent, routeResponse, type WebSocketCall, type WebSocketEvent } from "./web-socket.ts";
