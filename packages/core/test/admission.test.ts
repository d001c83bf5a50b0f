import { describe, expect, it } from "@jest/globals";
import { createRateLimiter, EVERYTHING, openApplications } from "@topicast/core";
import { findObstacle } from "@topicast/core/lambda";
import { aConnection, anApp, aTopic } from "@topicast/testing";
import { type TestService, testService } from "./test-service.ts";

async function aClient(service: TestService) {
  const connection = aConnection({ connectedAt: service.clock.now() });
  service.gateway.open(connection);
  await service.connections.connect(connection);
  return { connection, app: connection.app, access: EVERYTHING };
}

function admitting(service = testService(), perSecond = 100) {
  return { ...service, limiter: createRateLimiter({ clock: service.clock, perSecond }) };
}

describe("findObstacle", () => {
  it("finds none for who may go on", async () => {
    const service = admitting();
    const client = await aClient(service);
    expect(await findObstacle(service, { ...client, expiresAt: service.clock.now() + 1 })).toBeUndefined();
    expect(service.gateway.posts).toEqual([]);
  });

  it("says when to try again to who sends too much", async () => {
    const service = admitting(testService(), 2);
    const client = await aClient(service);
    await findObstacle(service, client);
    await findObstacle(service, client);
    expect(await findObstacle(service, client)).toMatchObject({ code: "rate_limited", retryAfter: 500 });
    await service.clock.advance(500);
    expect(await findObstacle(service, client)).toBeUndefined();
  });

  it("ends a connection whose token has expired, at that very millisecond", async () => {
    const service = admitting();
    const client = await aClient(service);
    const fault = await findObstacle(service, { ...client, expiresAt: service.clock.now() });
    expect(fault).toMatchObject({ code: "unauthorized" });
    const { id } = client.connection;
    expect(service.gateway.frames(id).map((frame) => JSON.parse(frame))).toEqual([
      { type: "closing", reason: "token_expired", reconnect: true },
    ]);
    expect(await service.gateway.look(client.connection)).toBeUndefined();
    expect(await service.connections.get(client.app, id, "fresh")).toBeUndefined();
  });

  it("ends a connection whose application is gone, for good", async () => {
    const service = admitting({ ...testService(), applications: openApplications([]) });
    const client = { ...(await aClient(service)), app: anApp("gone~1") };
    expect(await findObstacle(service, client)).toMatchObject({ code: "unauthorized" });
    expect(service.gateway.frames(client.connection.id).map((frame) => JSON.parse(frame))).toEqual([
      { type: "closing", reason: "application_deleted", reconnect: false },
    ]);
  });

  it("refuses all the same where the end can't be told, and tries again with the next message", async () => {
    const service = admitting();
    const client = { ...(await aClient(service)), expiresAt: service.clock.now() };
    service.gateway.refuse(client.connection.id, "throttled");
    expect(await findObstacle(service, client)).toMatchObject({ code: "unauthorized" });
    expect(service.logged).toEqual(["warn: A connection could not be ended."]);
    service.gateway.refuse(client.connection.id, undefined);
    await findObstacle(service, client);
    expect(await service.gateway.look(client.connection)).toBeUndefined();
  });

  it("leaves no subscription behind of a connection that it ended", async () => {
    const service = admitting();
    const client = await aClient(service);
    const { app, connection } = client;
    const topic = aTopic();
    await service.connections.subscribe({
      app,
      topic,
      connection,
      validUntil: connection.validUntil,
      maxSubscriptions: 9,
    });
    await findObstacle(service, { ...client, expiresAt: service.clock.now() });
    const page = await service.connections.subscribers({ app, topic, limit: 9, freshness: "fresh" });
    expect(page.subscribers).toEqual([]);
  });
});
