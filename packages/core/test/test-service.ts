import { type Job, openApplications, type Service, type Settings, type TopicRules } from "@topicast/core";
import {
  createMemoryConnectionStore,
  createMemoryQueue,
  createMemoryTopicLog,
  type MemoryQueue,
} from "@topicast/core/memory";
import { encodeMessages } from "@topicast/protocol";
import { type MessagesJob, type TestClock, testClock } from "@topicast/testing";
import { createMemoryGateway, type MemoryGateway } from "../src/drivers/connection-gateway/memory.ts";
import { doJob } from "../src/use-cases/do-job.ts";

export interface TestService extends Service {
  readonly clock: TestClock;
  readonly queue: MemoryQueue;
  readonly gateway: MemoryGateway;
  /** What was logged, as `level: message`. */
  readonly logged: string[];
}

/** A service in memory, whose time stands still. */
export function testService(
  { rules = [], ...settings }: Partial<Settings & { rules: TopicRules }> = {},
  overrides: Partial<Service> = {},
): TestService {
  const clock = testClock();
  const logged: string[] = [];
  return {
    address: "local",
    applications: openApplications(rules),
    connections: createMemoryConnectionStore({ clock }),
    log: createMemoryTopicLog({ clock }),
    queue: createMemoryQueue({ clock }),
    gateway: createMemoryGateway({ clock }),
    clock,
    logged,
    logger: {
      warn: (message) => logged.push(`warn: ${message}`),
      error: (message) => logged.push(`error: ${message}`),
    },
    envelope: { joins: true, frames: ({ topic, epoch, messages }) => encodeMessages({ topic, epoch }, messages) },
    settings: { inlineMax: 16, shardMax: 5_000, pageSize: 500, maxAttempts: 6, maxSubscriptions: 100, ...settings },
    ...(overrides as Partial<TestService>),
  };
}

/** A minute: no worker is short of time. */
export const PLENTY = () => 60_000;

/** The jobs that wait, taken from the queue. */
export function takeJobs<J extends Job = MessagesJob>({ queue }: TestService): J[] {
  return queue.receive(1_000).map(({ body, receiptHandle }) => {
    queue.delete(receiptHandle);
    return JSON.parse(body) as J;
  });
}

/** Lets workers run for a while: each second, every job that is visible is delivered. */
export async function work(service: TestService, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    const working = Promise.all(takeJobs<Job>(service).map((job) => workOn(service, job)));
    await service.clock.advance(1_000);
    await working;
  }
}

/** Has a worker with plenty of time do a job. */
export function workOn(service: TestService, job: Job): Promise<void> {
  return doJob(service, job, PLENTY);
}
