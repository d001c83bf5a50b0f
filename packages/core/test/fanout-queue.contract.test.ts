import { describeFanoutQueueContract, testClock } from "@topicast/testing";
import { createMemoryQueue } from "../src/drivers/fanout-queue/memory.ts";

const MAX_RECEIVE_COUNT = 5;
const VISIBILITY_TIMEOUT_MS = 1_000;

describeFanoutQueueContract("memory", async () => {
  const clock = testClock();
  const queue = createMemoryQueue({
    clock,
    maxReceiveCount: MAX_RECEIVE_COUNT,
    visibilityTimeoutMs: VISIBILITY_TIMEOUT_MS,
  });
  return {
    queue,
    clock,
    maxReceiveCount: MAX_RECEIVE_COUNT,
    visibilityTimeoutMs: VISIBILITY_TIMEOUT_MS,
    receive: async () =>
      queue.receive(10).map(({ body, receiptHandle, receiveCount }) => {
        return { job: JSON.parse(body), handle: receiptHandle, receiveCount };
      }),
    delete: async (handle) => queue.delete(handle),
    release: async (handle) => queue.release(handle),
    deadLetters: async () => queue.deadLetters.map(({ body, reason }) => ({ job: JSON.parse(body), reason })),
    close: async () => {},
  };
});
