import { describe, expect, it } from "@jest/globals";
import { DEFAULT_APP, DEFAULT_RULE, describeTopic, listSubscribers } from "@topicast/core";
import { aConnection, anApp, aTopic } from "@topicast/testing";
import { testService } from "./test-service.ts";

const app = DEFAULT_APP;
const topic = aTopic("room/1");

async function serviceWith(count: number, shards = 1) {
  const service = testService();
  const connections = Array.from({ length: count }, (_, index) => aConnection({ room: topic, from: `user-${index}` }));
  for (const connection of connections) await service.connections.connect(connection);
  await service.connections.setShards(app, topic, { from: 1, to: shards });
  return { service, connections };
}

describe("describeTopic", () => {
  it.each([1, 4])("counts the subscribers of %i shards", async (shards) => {
    const { service } = await serviceWith(1_500, shards);
    await service.log.append(app, topic, { payloads: [1, 2], time: 0 }, DEFAULT_RULE.retention);
    const place = { epoch: expect.any(String), seq: 2 };
    expect(await describeTopic(service, app, topic)).toEqual({ place, subscribers: 1_500 });
    expect(await describeTopic(service, anApp("other"), topic)).toMatchObject({ place: { seq: 0 }, subscribers: 0 });
  });

  it("stops counting after ten thousand", async () => {
    const { service } = await serviceWith(10_001);
    expect(await describeTopic(service, app, topic)).toMatchObject({ subscribers: 10_000, approximate: true });
  });
});

describe("listSubscribers", () => {
  async function readAll(service: Parameters<typeof listSubscribers>[0], limit: number) {
    const pages = [];
    for (let cursor: string | undefined; ; ) {
      const page = await listSubscribers(service, app, topic, { limit, ...(cursor !== undefined && { cursor }) });
      if (!page.ok) throw new Error(page.fault.message);
      pages.push(page.value.subscribers);
      cursor = page.value.cursor;
      if (cursor === undefined) return pages;
    }
  }

  it.each([
    [1, 100],
    [4, 7],
    [4, 100],
  ])("walks %i shards in pages of %i, each subscriber once, with their names", async (shards, limit) => {
    const { service, connections } = await serviceWith(40, shards);
    const pages = await readAll(service, limit);
    for (const page of pages) expect(page.length).toBeLessThanOrEqual(limit);
    const expected = connections.map(({ id, from }) => ({ connectionId: id, from, subscribedAt: expect.any(Number) }));
    const byName = (a: { from: string }, b: { from: string }) => a.from.localeCompare(b.from);
    expect(pages.flat().sort(byName)).toEqual(expected.sort(byName));
  });

  it.each(["", "x", "MA", "MA==", "MA ", "LTEu", Buffer.from("a/b").toString("base64url"), "é"])(
    "refuses the cursor %j, or reads a page of this topic",
    async (cursor) => {
      const { service } = await serviceWith(1);
      const page = await listSubscribers(service, app, topic, { limit: 10, cursor });
      if (cursor === "MA") expect(page).toMatchObject({ ok: true, value: { subscribers: [{ from: "user-0" }] } });
      else expect(page).toMatchObject({ ok: false, fault: { code: "bad_request" } });
    },
  );
});
