import {
  DEFAULT_APP,
  DEFAULT_RULE,
  type Job,
  type PublishInput,
  publish,
  type Service,
  type TopicRules,
} from "@topicast/core";
import type { Message, MessagesFrame, TopicPattern } from "@topicast/protocol";
import { aConnection, aTopic } from "@topicast/testing";
import { doJob } from "../src/use-cases/do-job.ts";
import { PLENTY, type TestService, testService } from "./test-service.ts";

export const TICK_MS = 50;
export const game = aTopic("game/1");
const RULES: TopicRules = [{ ...DEFAULT_RULE, match: "game/*" as TopicPattern, tickMs: TICK_MS }];

/** A service whose topics `game/*` have ticks. */
export function tickedService(settings: Parameters<typeof testService>[0] = {}, overrides: Partial<Service> = {}) {
  return testService({ rules: RULES, ...settings }, overrides);
}

export async function join(service: TestService, count: number) {
  const connections = Array.from({ length: count }, () =>
    aConnection({ room: game, connectedAt: service.clock.now() }),
  );
  for (const connection of connections) {
    await service.connections.connect(connection);
    service.gateway.open(connection);
  }
  return connections;
}

export function publishTo(service: Service, payload: string, input: Partial<PublishInput> = {}) {
  return publish(service, { app: DEFAULT_APP, topic: game, payloads: [payload], echo: true, ...input });
}

/** Publishes while time passes: a publisher may wait a moment for another. */
export async function publishAll(service: TestService, publishes: readonly Promise<unknown>[]): Promise<void> {
  const all = Promise.allSettled(publishes);
  await service.clock.advance(100);
  await all;
}

export interface Workers {
  /** Jobs that were taken from the queue. */
  readonly taken: readonly Job[];
  /** Lets time pass; workers take what is visible within a millisecond, and do it side by side. */
  run(ms: number): Promise<void>;
}

export function startWorkers(service: TestService, work = (job: Job) => doJob(service, job, PLENTY)): Workers {
  const taken: Job[] = [];
  return {
    taken,
    async run(ms) {
      for (let passed = 0; passed < ms; passed++) {
        for (const { body, receiptHandle } of service.queue.receive(100)) {
          const job = JSON.parse(body) as Job;
          taken.push(job);
          service.queue.delete(receiptHandle);
          void work(job);
        }
        await service.clock.advance(1);
      }
    },
  };
}

export function framesTo(service: TestService, { id }: { id: Parameters<TestService["gateway"]["frames"]>[0] }) {
  return service.gateway.frames(id).map((frame) => JSON.parse(frame) as MessagesFrame);
}

export function payloadsIn({ messages }: { readonly messages: readonly Message[] }) {
  return messages.map(({ payload }) => payload);
}
