import type { Connection } from "@topicast/core";
import { aConnection } from "@topicast/testing";
import type { TestService } from "./test-service.ts";

const MINUTE_MS = 60_000;

/** Connections of one user that are open, and old enough that a 410 says they are gone. */
export async function connectAs(
  service: TestService,
  user: string,
  count: number,
  overrides: Partial<Connection> = {},
) {
  const connectedAt = service.clock.now() - MINUTE_MS;
  const connections = Array.from({ length: count }, () => aConnection({ connectedAt, from: user, ...overrides }));
  for (const connection of connections) {
    await service.connections.connect(connection);
    service.gateway.open(connection);
  }
  return connections;
}

/** What each of them got. */
export function framesOf(service: TestService, connections: readonly Connection[]) {
  return connections.map(({ id }) => service.gateway.frames(id).map((frame) => JSON.parse(frame)));
}
