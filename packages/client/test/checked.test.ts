import { expect, it } from "@jest/globals";
import { checked, type StandardSchema } from "@topicast/client";
import * as v from "valibot";
import { collect, createHarness, payloadsOf } from "./client-harness.ts";

const point = v.object({ x: v.number(), y: v.optional(v.number(), 0) });

it("gives what the schema makes of a payload, and leaves out what doesn't fit", async () => {
  const { open, advance, service } = createHarness();
  const room = checked(open().topic("room/1"), point);
  const messages = collect(room);
  const errors: unknown[] = [];
  room.on("error", (error) => errors.push(error));
  await advance(50);
  for (const payload of [{ x: 1 }, { x: "one" }, { x: 2, y: 3 }]) service.publish("room/1", payload);
  await advance(50);
  expect(payloadsOf(messages)).toEqual([
    { x: 1, y: 0 },
    { x: 2, y: 3 },
  ]);
  expect(errors).toMatchObject([{ code: "invalid_payload", retryable: false }]);
});

it("publishes only what fits, as it was given", async () => {
  const { open, advance, service } = createHarness();
  const room = checked(open().topic("room/1"), point);
  const published = room.publish({ x: 1 });
  await expect(room.publish({ x: "one" } as never)).rejects.toMatchObject({ code: "invalid_payload" });
  await advance(50);
  await expect(published).resolves.toMatchObject({ seq: 1 });
  expect(service.log("room/1").messages.map(({ payload }) => payload)).toEqual([{ x: 1 }]);
});

it("keeps the order, however long each check takes", async () => {
  const { open, advance, service, clock } = createHarness();
  const slow: StandardSchema<number> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: async (value) => {
        await clock.sleep(value === 1 ? 100 : 1);
        return { value: value as number };
      },
    },
  };
  const room = checked(open().topic("room/1"), slow);
  const messages = collect(room);
  const places = [1, 2, 3].map((n) => room.publish(n));
  await advance(500);
  expect((await Promise.all(places)).map((place) => place?.seq)).toEqual([1, 2, 3]);
  expect(service.log("room/1").messages.map(({ payload }) => payload)).toEqual([1, 2, 3]);
  expect(payloadsOf(messages)).toEqual([1, 2, 3]);
});

it("is iterated, and leaves the topic with its last listener", async () => {
  const { open, advance, service, socket } = createHarness();
  const room = checked(open().topic("room/1"), point);
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const { payload } of room) {
      seen.push(payload);
      if (seen.length === 2) break;
    }
  })();
  await advance(50);
  for (let x = 1; x <= 3; x++) service.publish("room/1", { x });
  await advance(50);
  await reading;
  await advance(50);
  expect(seen).toEqual([
    { x: 1, y: 0 },
    { x: 2, y: 0 },
  ]);
  expect(socket().topics.size).toBe(0);
});
