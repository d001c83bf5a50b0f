import { describe, expect, it } from "@jest/globals";
import { type Connection, DEFAULT_APP, DEFAULT_RULE, deleteTopic, UnavailableError } from "@topicast/core";
import { aConnection, aTopic } from "@topicast/testing";
import { type TestService, testService, work } from "./test-service.ts";

const app = DEFAULT_APP;
const topic = aTopic("room/1");
const MINUTE_MS = 60_000;

async function subscribe({ clock, connections }: TestService, connection: Connection): Promise<void> {
  const validUntil = clock.now() + MINUTE_MS;
  await connections.subscribe({ app, topic, connection, validUntil, maxSubscriptions: 10 });
}

async function join(service: TestService, count: number): Promise<Connection[]> {
  const connectedAt = service.clock.now() - MINUTE_MS;
  const connections = Array.from({ length: count }, () => aConnection({ connectedAt }));
  for (const connection of connections) {
    await service.connections.connect(connection);
    service.gateway.open(connection);
    await subscribe(service, connection);
  }
  return connections;
}

async function subscribersOf({ connections }: TestService) {
  const page = await connections.subscribers({ app, topic, limit: 1_000, freshness: "fresh" });
  return page.subscribers.map(({ id }) => id);
}

const closing = JSON.stringify({ type: "closing", topic, reason: "deleted", reconnect: true });

describe("deleteTopic", () => {
  it.each([16, 0])("begins a new epoch, tells everyone and unsubscribes them: inlineMax %i", async (inlineMax) => {
    const service = testService({ inlineMax, pageSize: 3 });
    const connections = await join(service, 8);
    const before = await service.log.append(app, topic, { payloads: [1], time: 0 }, DEFAULT_RULE.retention);
    await service.clock.advance(1);
    await deleteTopic(service, app, topic);
    await work(service, 1);
    expect(await subscribersOf(service)).toEqual([]);
    for (const { id } of connections) expect(service.gateway.frames(id)).toEqual([closing]);
    const place = await service.log.place(app, topic);
    expect(place).toEqual({ epoch: expect.any(String), seq: 0 });
    expect(place.epoch).not.toBe(before.place.epoch);
  });

  it("leaves alone who comes back while workers are at it", async () => {
    const service = testService({ inlineMax: 0 });
    const [alice, bob] = await join(service, 2);
    await service.clock.advance(1);
    await deleteTopic(service, app, topic);
    await service.clock.advance(1);
    await subscribe(service, alice!);
    await work(service, 1);
    expect(await subscribersOf(service)).toEqual([alice!.id]);
    expect(service.gateway.frames(alice!.id)).toEqual([]);
    expect(service.gateway.frames(bob!.id)).toEqual([closing]);
  });

  it("tells later whom a post doesn't reach", async () => {
    const service = testService();
    const [alice, bob] = await join(service, 2);
    await service.clock.advance(1);
    service.gateway.refuse(alice!.id, "throttled");
    await deleteTopic(service, app, topic);
    expect(await subscribersOf(service)).toEqual([alice!.id]);
    service.gateway.refuse(alice!.id, undefined);
    await work(service, 2);
    expect(await subscribersOf(service)).toEqual([]);
    for (const { id } of [alice!, bob!]) expect(service.gateway.frames(id)).toEqual([closing]);
  });

  it("fails where a subscription can't be ended, and is done when it is repeated", async () => {
    const service = testService();
    await join(service, 2);
    await service.clock.advance(1);
    const endSubscription = () => Promise.reject(new UnavailableError("store", "throttled"));
    const connections = { ...service.connections, endSubscription };
    await expect(deleteTopic({ ...service, connections }, app, topic)).rejects.toBeInstanceOf(UnavailableError);
    await deleteTopic(service, app, topic);
    expect(await subscribersOf(service)).toEqual([]);
  });
});

it("has the new epoch before anybody is told, so that who comes back at once doesn't find the old one", async () => {
  const service = testService();
  await join(service, 1);
  const before = await service.log.place(app, topic);
  await service.clock.advance(1);
  const epochs: string[] = [];
  const gateway: typeof service.gateway = {
    ...service.gateway,
    async post(targets, frame) {
      epochs.push((await service.log.place(app, topic)).epoch);
      return service.gateway.post(targets, frame);
    },
  };
  await deleteTopic({ ...service, gateway }, app, topic);
  expect(epochs).toHaveLength(1);
  expect(epochs).not.toContain(before.epoch);
});
