import { describeTopicLogContract, testClock } from "@topicast/testing";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import { createGate, type Gate } from "./gate.ts";

/** Gates that appends meet, one each. */
function gates() {
  const waiting: Gate[] = [];
  return {
    pass: () => waiting.shift()?.pass(),
    holdNext() {
      const gate = createGate();
      waiting.push(gate);
      return gate;
    },
  };
}

describeTopicLogContract("memory", async () => {
  const clock = testClock();
  const [key, write] = [gates(), gates()];
  const log = createMemoryTopicLog({ clock, beforeKey: key.pass, beforeWrite: write.pass });
  return { log, clock, holdNextKey: key.holdNext, holdNextWrite: write.holdNext, close: async () => {} };
});
