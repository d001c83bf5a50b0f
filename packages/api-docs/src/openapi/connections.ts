import type { Operation, ServiceName } from "./operation.ts";

/** What all services with connections have; `name` tells their operations apart. */
export function connectionOperations(service: ServiceName, name: "Broadcast" | "Topic"): Operation[] {
  const common = {
    service,
    security: "applicationKey",
    path: "/connections/{id}",
    parameters: ["ConnectionId"],
  } as const;
  return [
    {
      ...common,
      id: `get${name}Connection`,
      method: "get",
      summary: "Look at a connection",
      description: "Needs the right `admin` for all topics (`*`).",
      successes: [{ status: 200, description: "What is known of it.", schema: "Connection" }],
      faults: ["not_found"],
    },
    {
      ...common,
      id: `close${name}Connection`,
      method: "delete",
      summary: "Close a connection",
      description: "It is told `closing` with the reason `kicked`. Needs the right `admin` for all topics (`*`).",
      successes: [{ status: 204, description: "It is closed." }],
      faults: ["not_found"],
    },
  ];
}
