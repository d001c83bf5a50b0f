import { expect, it } from "@jest/globals";
import { DEFAULT_APP, DEFAULT_RULE, findBehind } from "@topicast/core";
import { aTopic } from "@topicast/testing";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import { testService } from "./test-service.ts";

const app = DEFAULT_APP;
const { retention } = DEFAULT_RULE;

it("names the topics that have something newer, another epoch, or are forgotten", async () => {
  const { log, clock } = testService();
  const topics = ["newer", "same", "deleted"].map((name) => aTopic(name));
  const places = await Promise.all(
    topics.map(async (topic) => {
      const { place } = await log.append(app, topic, { payloads: [1], time: clock.now() }, retention);
      return { topic, place };
    }),
  );
  expect(await findBehind({ log }, app, places)).toEqual([]);
  await log.append(app, aTopic("newer"), { payloads: [2], time: clock.now() }, retention);
  await log.restart(app, aTopic("deleted"));
  const forgotten = { topic: aTopic("nowhere"), place: { epoch: "e", seq: 0 } };
  expect(await findBehind({ log }, app, [...places, forgotten])).toEqual(["newer", "deleted", "nowhere"]);
});

it("counts a number that is taken and not written yet: better a question too many", async () => {
  const { clock } = testService();
  const log = createMemoryTopicLog({ clock, beforeWrite: () => new Promise<void>(() => {}) });
  const topic = aTopic("room/1");
  const place = await log.place(app, topic);
  void log.append(app, topic, { payloads: [1], time: clock.now() }, retention);
  expect(await findBehind({ log }, app, [{ topic, place }])).toEqual([topic]);
});
