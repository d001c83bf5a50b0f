import { connectionOperations } from "./connections.ts";
import type { Operation } from "./operation.ts";

export const BROADCAST_OPERATIONS: readonly Operation[] = [
  {
    id: "broadcast",
    service: "message-broadcast",
    security: "applicationKey",
    method: "post",
    path: "/messages",
    summary: "Broadcast to a room",
    description: "Needs the right `publish` for the room's name. At most 96 KB.",
    parameters: ["RoomId", "IdempotencyKey"],
    body: {
      anything: "A JSON object arrives as it is, with the service's marks; any other JSON or text under `data`.",
    },
    successes: [
      {
        status: 202,
        description: "Numbered, kept, and on its way to everyone in the room.",
        schema: "Broadcasted",
      },
      { status: 200, description: "A `ping` is answered and not broadcast.", schema: "Pong" },
    ],
    faults: ["bad_request", "invalid_topic", "payload_too_large"],
  },
  {
    id: "getRoom",
    service: "message-broadcast",
    security: "applicationKey",
    method: "get",
    path: "/rooms/{room}",
    summary: "Look at a room",
    description: "Needs the right `subscribe` or `admin` for the room's name.",
    parameters: ["Room"],
    successes: [{ status: 200, description: "Where it stands, and how many are in it.", schema: "RoomState" }],
    faults: ["invalid_topic"],
  },
  ...connectionOperations("message-broadcast", "Broadcast"),
  {
    id: "getBroadcastHealth",
    service: "message-broadcast",
    method: "get",
    path: "/health",
    summary: "Check message-broadcast's health",
    successes: [{ status: 200, description: "Store and queue answer.", schema: "Health" }],
    faults: [],
    problem: "HealthProblem",
  },
];
