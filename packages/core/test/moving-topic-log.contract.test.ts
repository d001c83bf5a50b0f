import { describe } from "@jest/globals";
import { describeTopicLogContract, testClock } from "@topicast/testing";
import { createMovingTopicLog } from "../src/drivers/moving/topic-log.ts";
import type { StoreIndex } from "../src/drivers/moving/topic-owner.ts";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import { createGates } from "./gate.ts";

const STEPS: readonly [string, StoreIndex][] = [
  ["two stores, the first of which has the topics", 0],
  ["two stores, the second of which has the topics", 1],
];

describe.each(STEPS)("%s", (name, owner) => {
  describeTopicLogContract(name, async () => {
    const clock = testClock();
    const [key, write] = [createGates(), createGates()];
    const store = () => createMemoryTopicLog({ clock, beforeKey: key.pass, beforeWrite: write.pass });
    const log = createMovingTopicLog({ stores: [store(), store()], owner, clock });
    return { log, clock, holdNextKey: key.holdNext, holdNextWrite: write.holdNext, close: async () => {} };
  });
});
