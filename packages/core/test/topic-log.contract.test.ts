import { describeTopicLogContract, type HeldWrite, testClock } from "@topicast/testing";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";

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

interface Gate extends HeldWrite {
  /** Arrives at the gate and waits for it to open. */
  pass(): Promise<void>;
}

function createGate(): Gate {
  let arrive = () => {};
  let open = () => {};
  let shut = (_: Error) => {};
  const held = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    shut = reject;
  });
  return {
    held,
    release: () => open(),
    fail: () => shut(new Error("The write failed.")),
    pass() {
      arrive();
      return opened;
    },
  };
}
