export { createMemoryAppStore } from "./app-store/memory.ts";
export { createMemoryConnectionStore } from "./connection-store/memory.ts";
export { createMemoryQueue, type MemoryQueue, type QueueRecord } from "./fanout-queue/memory.ts";
export { createMemoryTopicLog } from "./topic-log/memory.ts";
