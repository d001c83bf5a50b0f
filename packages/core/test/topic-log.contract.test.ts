import { describeTopicLogContract, testClock } from "@topicast/testing";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import { createGate, type Gate } from "./gate.ts";

describeTopicLogContract("memory", async (retention) => {
  const clock = testClock();
  const gates: Gate[] = [];
  const log = createMemoryTopicLog({ ...retention, clock, beforeWrite: async () => gates.shift()?.pass() });
  return {
    log,
    clock,
    holdNextWrite() {
      const gate = createGate();
      gates.push(gate);
      return gate;
    },
    close: async () => {},
  };
});
