import { describeTopicLogContract, testClock } from "@topicast/testing";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import { createGates } from "./gate.ts";

describeTopicLogContract("memory", async () => {
  const clock = testClock();
  const [key, write] = [createGates(), createGates()];
  const log = createMemoryTopicLog({ clock, beforeKey: key.pass, beforeWrite: write.pass });
  return { log, clock, holdNextKey: key.holdNext, holdNextWrite: write.holdNext, close: async () => {} };
});
