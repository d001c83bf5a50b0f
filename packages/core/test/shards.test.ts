import { describe, expect, it } from "@jest/globals";
import { type ConnectionId, DEFAULT_APP, deliver, MAX_SHARDS, publish, UnavailableError, WHOLE } from "@topicast/core";
import { aConnection, aJob, aTopic } from "@topicast/testing";
import { slotOf } from "../src/shards.ts";
import { splitJob } from "../src/use-cases/split-job.ts";
import { PLENTY, type TestService, takeJobs, testService, work } from "./test-service.ts";

const topic = aTopic("room/1");
const hello = { app: DEFAULT_APP, topic, payloads: ["hello"], echo: true, ephemeral: false };

async function join(service: TestService, count: number) {
  const connections = Array.from({ length: count }, () => aConnection({ room: topic }));
  for (const connection of connections) {
    await service.connections.connect(connection);
    service.gateway.open(connection);
  }
  return connections;
}

async function shardsOf({ connections }: TestService): Promise<number | undefined> {
  return (await connections.subscribers({ app: DEFAULT_APP, topic, limit: 1, freshness: "fresh" })).shards;
}

function setShards(service: TestService, from: number, to: number) {
  return service.connections.setShards(DEFAULT_APP, topic, { from, to });
}

/** Publishes, lets the workers run, and says how many jobs they had and how many shards there are then. */
async function publishAndWork(service: TestService) {
  await publish(service, hello);
  const jobs = takeJobs(service);
  for (const job of jobs) await deliver(service, job, PLENTY);
  const left = takeJobs(service);
  return { jobs: jobs.length, left: left.length, shards: await shardsOf(service) };
}

/** Since the messages before: each was posted to all of them. */
function expectEachOnce({ gateway }: TestService, connections: readonly { readonly id: ConnectionId }[]) {
  const newest = gateway.posts.slice(-connections.length);
  const [first] = newest;
  expect(newest.map(({ id }) => id).sort()).toEqual(connections.map(({ id }) => id).sort());
  expect(newest.filter(({ frame }) => frame !== first?.frame)).toEqual([]);
  expect(gateway.posts.filter(({ frame }) => frame === first?.frame)).toHaveLength(connections.length);
}

describe("a slot", () => {
  it.each<[string, (i: number) => string]>([
    ["count up", (i) => `connection-${String(i).padStart(4, "0")}=`],
    ["begin alike and end alike, as those of one minute", (i) => `Zm0a${i.toString(36).padStart(3, "A")}oAMCJ0Q=`],
  ])("is of about as many ids as any other, where they %s", (_, idOf) => {
    const counts = new Array<number>(MAX_SHARDS).fill(0);
    for (let i = 0; i < 100 * MAX_SHARDS; i++) {
      const slot = slotOf(idOf(i) as ConnectionId);
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(160);
  });
});

describe("splitJob", () => {
  function leavesOf(job: Parameters<typeof splitJob>[0]): ReturnType<typeof splitJob> {
    return job.split === undefined ? [job] : splitJob(job).flatMap(leavesOf);
  }

  it.each([1, 2, 8, 16, 32, 64, MAX_SHARDS])("makes a job of each of %i shards, at most eight at a time", (split) => {
    const first = splitJob(aJob({ split }));
    expect(first.length).toBeLessThanOrEqual(8);
    const leaves = first.flatMap(leavesOf);
    const { shard: _, ...job } = aJob();
    expect(leaves).toEqual(Array.from({ length: split }, (_, index) => ({ ...job, shard: { index, of: split } })));
  });
});

describe("a topic that grows", () => {
  it("is shared among more workers from the next publish on, until each has few enough", async () => {
    const service = testService({ inlineMax: 2, shardMax: 10 });
    const connections = await join(service, 3);
    expect(await publishAndWork(service)).toEqual({ jobs: 1, left: 0, shards: 1 });
    connections.push(...(await join(service, 12)));
    expect(await publishAndWork(service)).toEqual({ jobs: 1, left: 0, shards: 2 });
    expectEachOnce(service, connections);
    connections.push(...(await join(service, 30)));
    const { jobs, shards } = await publishAndWork(service);
    expect([jobs, shards]).toEqual([2, 8]);
    expectEachOnce(service, connections);
    expect(await publishAndWork(service)).toMatchObject({ jobs: 8, left: 0, shards: 8 });
    expectEachOnce(service, connections);
  });

  it("costs its publisher one look and one send, however many shards it has", async () => {
    const service = testService({ inlineMax: 2 });
    const connections = await join(service, 300);
    for (const [from, to] of [
      [1, 1],
      [1, 8],
      [8, MAX_SHARDS],
    ] as const) {
      await setShards(service, from, to);
      const calls: string[] = [];
      const { subscribers } = service.connections;
      const watched = {
        ...service,
        connections: {
          ...service.connections,
          subscribers: (query: Parameters<typeof subscribers>[0]) => {
            calls.push(`read ${query.limit}`);
            return subscribers(query);
          },
        },
        queue: {
          ...service.queue,
          send: (...call: Parameters<typeof service.queue.send>) => {
            calls.push(call[0].length <= 10 ? "send" : "send too many");
            return service.queue.send(...call);
          },
        },
      };
      await publish(watched, hello);
      expect(calls).toEqual(["read 2", "send"]);
      await work(service, 3);
      expectEachOnce(service, connections);
    }
  });

  it("has at most so many shards as ids can be told apart by", async () => {
    const service = testService({ inlineMax: 2, shardMax: 1 });
    const connections = await join(service, 300);
    await publish(service, hello);
    await work(service, 3);
    expect(await shardsOf(service)).toBe(MAX_SHARDS);
    await publish(service, hello);
    await work(service, 3);
    expectEachOnce(service, connections);
  });

  it("counts what workers before it walked, where one had no time for all", async () => {
    const service = testService({ shardMax: 10, pageSize: 5 });
    const connections = await join(service, 14);
    await deliver(service, aJob({ topic }), () => 9_999);
    expect(await shardsOf(service)).toBe(1);
    for (let [job] = takeJobs(service); job !== undefined; [job] = takeJobs(service)) {
      await deliver(service, job, () => 9_999);
    }
    expectEachOnce(service, connections);
    expect(await shardsOf(service)).toBe(2);
  });

  it("keeps each worker within its time, where 20,000 subscribers are one shard of a slow gateway", async () => {
    const service = testService();
    const connections = await join(service, 20_000);
    let ranMs = 0;
    const gateway: typeof service.gateway = {
      ...service.gateway,
      post(targets, frame, options) {
        // A worker of 512 MB makes 480 posts a second.
        ranMs += targets.length / 0.48;
        return service.gateway.post(targets, frame, options);
      },
    };
    await publish(service, hello);
    const runs: number[] = [];
    for (let jobs = takeJobs(service); jobs.length > 0; jobs = takeJobs(service)) {
      for (const job of jobs) {
        ranMs = 0;
        await deliver({ ...service, gateway }, job, () => 30_000 - ranMs);
        runs.push(ranMs);
      }
    }
    expect(runs).toHaveLength(2);
    expect(Math.max(...runs)).toBeLessThan(27_000);
    expectEachOnce(service, connections);
    expect(await shardsOf(service)).toBe(2);
  });

  it("misses nobody where its number of shards changes while jobs wait", async () => {
    const service = testService({ inlineMax: 2 });
    const connections = await join(service, 40);
    await setShards(service, 1, 4);
    await publish(service, hello);
    const jobs = takeJobs(service);
    await setShards(service, 4, 1);
    for (const job of jobs) await deliver(service, job, PLENTY);
    expectEachOnce(service, connections);
  });

  it("loses no message where the number can't be changed", async () => {
    const service = testService({ inlineMax: 2, shardMax: 2 });
    const connections = await join(service, 10);
    const setShards = () => Promise.reject(new UnavailableError("store", "throttled"));
    await deliver({ ...service, connections: { ...service.connections, setShards } }, aJob({ topic }), PLENTY);
    expectEachOnce(service, connections);
    expect(service.logged).toEqual([expect.stringContaining("number of a topic's shards could not be changed")]);
  });
});

describe("a topic that shrinks", () => {
  it("is shared among half as many workers from each publish on, and then among none", async () => {
    const service = testService({ inlineMax: 2, shardMax: 40 });
    const connections = await join(service, 10);
    await setShards(service, 1, 4);
    expect(await publishAndWork(service)).toEqual({ jobs: 4, left: 0, shards: 2 });
    expectEachOnce(service, connections);
    for (const { id } of connections.splice(0, 8)) await service.connections.disconnect(DEFAULT_APP, id);
    expect(await publishAndWork(service)).toEqual({ jobs: 0, left: 0, shards: 1 });
    expectEachOnce(service, connections);
  });

  it("stays as it is where half as many would be crowded soon", async () => {
    const service = testService({ inlineMax: 2, shardMax: 20 });
    await join(service, 40);
    await setShards(service, 1, 4);
    for (let i = 0; i < 3; i++) expect(await publishAndWork(service)).toMatchObject({ jobs: 4, shards: 4 });
  });
});

describe("a job that is to be split", () => {
  it("comes again where the queue takes no others for it, and posts to nobody itself", async () => {
    const service = testService();
    await join(service, 20);
    const job = aJob({ topic, shard: WHOLE, split: 4 });
    const send = () => Promise.reject(new UnavailableError("queue", "throttled"));
    await expect(deliver({ ...service, queue: { ...service.queue, send } }, job, PLENTY)).rejects.toThrow("throttled");
    await deliver(service, job, PLENTY);
    expect(service.gateway.posts).toEqual([]);
    expect(takeJobs(service)).toHaveLength(4);
  });
});
