import type { ConnectionGateway } from "./connection-gateway.ts";
import type { ConnectionStore } from "./connection-store.ts";
import type { FanoutQueue } from "./fanout-queue.ts";
import type { TopicLog } from "./topic-log.ts";

/** What a service needs of the world; each port has its drivers under `drivers/`. */
export interface Ports {
  readonly connections: ConnectionStore;
  readonly log: TopicLog;
  readonly queue: FanoutQueue;
  readonly gateway: ConnectionGateway;
}
