import { describe, expect, it } from "@jest/globals";
import { connect, DEFAULT_APP, EVERYTHING, findSender, subscribe, type TopicLog } from "@topicast/core";
import { aTarget, aTopic } from "@topicast/testing";
import { testService } from "./test-service.ts";

const app = DEFAULT_APP;
const caller = { app, access: EVERYTHING };
const topic = aTopic("room/1");

describe("connect", () => {
  it("gives a client without a secret its connection id as identity", async () => {
    const target = aTarget();
    await expect(connect(testService(), { caller, target })).resolves.toMatchObject({
      ok: true,
      value: { from: target.id },
    });
  });

  it("gives a client with a secret the first 16 characters of its hash", async () => {
    const connected = await connect(testService(), { caller, target: aTarget(), client: "0123456789abcdef" });
    // printf 0123456789abcdef | openssl dgst -sha256 -binary | basenc --base64url | cut -c-16
    expect(connected).toMatchObject({ ok: true, value: { from: "n59REfeyengfHx3d" } });
  });

  it("remembers a connection for the two hours that it may live, and not for ever", async () => {
    const service = testService();
    const target = aTarget();
    await connect(service, { caller, target, room: topic });
    const isThere = async () => (await service.connections.get(app, target.id, "fresh")) !== undefined;
    await service.clock.advance(2 * 3_600_000);
    expect(await isThere()).toBe(true);
    await service.clock.advance(10 * 60_000);
    expect(await isThere()).toBe(false);
  });

  it("refuses a secret that is none", async () => {
    const connected = await connect(testService(), { caller, target: aTarget(), client: "short" });
    expect(connected).toMatchObject({ ok: false, fault: { code: "bad_request" } });
  });
});

describe("subscribe", () => {
  it.each(["place", "readSince"] as const)("registers before it reads the log: %s", async (read) => {
    const service = testService();
    const target = aTarget();
    await connect(service, { caller, target });
    const subscribersThen: number[] = [];
    const log = {
      ...service.log,
      async [read](...call: Parameters<TopicLog["readSince"]>) {
        const page = await service.connections.subscribers({ app, topic, limit: 10, freshness: "fresh" });
        subscribersThen.push(page.subscribers.length);
        return service.log[read](...call);
      },
    };
    const query = { since: await service.log.place(app, topic), limit: 10 };
    const subscribed = subscribe(
      { ...service, log },
      { caller, topic, target, ...(read === "readSince" && { query }) },
    );
    await expect(subscribed).resolves.toMatchObject({ ok: true });
    expect(subscribersThen).toEqual([1]);
  });

  it("tells a connection that nobody knows to connect again", async () => {
    const subscribed = await subscribe(testService(), { caller, topic, target: aTarget() });
    expect(subscribed).toMatchObject({ ok: false, fault: { code: "not_found" } });
  });
});

describe("findSender", () => {
  it("finds a connection that was made a moment ago, which a stale read misses", async () => {
    const service = testService();
    const target = aTarget();
    await connect(service, { caller, target });
    await expect(service.connections.get(app, target.id, "stale")).resolves.toBeUndefined();
    await expect(findSender(service, app, target.id)).resolves.toMatchObject({ ok: true, value: { id: target.id } });
  });
});
