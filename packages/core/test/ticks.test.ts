import { describe, expect, it } from "@jest/globals";
import { DEFAULT_APP, deleteTopic, type Job, UnavailableError } from "@topicast/core";
import { settle } from "@topicast/testing";
import { createMemoryTopicLog } from "../src/drivers/topic-log/memory.ts";
import { doJob } from "../src/use-cases/do-job.ts";
import { PLENTY, takeJobs } from "./test-service.ts";
import {
  framesTo,
  game,
  join,
  payloadsIn,
  publishAll,
  publishTo,
  startWorkers,
  TICK_MS,
  tickedService,
} from "./tick-steps.ts";

const tickJobs = (jobs: readonly Job[]) => jobs.filter(({ kind }) => kind === "tick");

describe("a topic with ticks", () => {
  it("posts one frame of all that is new, when the tick is over", async () => {
    const service = tickedService();
    const workers = startWorkers(service);
    const [alice, bob] = await join(service, 2);
    for (const payload of ["a", "b", "c"]) await publishTo(service, payload);
    await workers.run(TICK_MS - 1);
    expect(service.gateway.posts).toEqual([]);
    await workers.run(2);
    for (const connection of [alice!, bob!]) {
      const [frame, ...others] = framesTo(service, connection);
      expect(frame?.messages).toMatchObject([{ seq: 1, payload: "a" }, { seq: 2 }, { seq: 3, payload: "c" }]);
      expect(others).toEqual([]);
    }
  });

  it("wakes one job a tick, and none when nothing is new", async () => {
    const service = tickedService();
    const workers = startWorkers(service);
    const [alice] = await join(service, 1);
    for (let i = 0; i < 100; i++) {
      await publishTo(service, `${i}`);
      await workers.run(10);
    }
    await workers.run(500);
    const frames = framesTo(service, alice!);
    expect(frames.flatMap(payloadsIn)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
    expect(frames.length).toBeLessThanOrEqual(1_000 / TICK_MS + 1);
    expect(workers.taken.length).toBeLessThanOrEqual(1_000 / TICK_MS + 2);
    const count = workers.taken.length;
    await workers.run(5_000);
    expect(workers.taken).toHaveLength(count);
    await publishTo(service, "later");
    await workers.run(TICK_MS + 2);
    expect(framesTo(service, alice!).at(-1)?.messages).toMatchObject([{ seq: 101, payload: "later" }]);
  });

  it("asks of a publisher nothing but its two writes while it is busy", async () => {
    const service = tickedService();
    const workers = startWorkers(service);
    await join(service, 1);
    await publishTo(service, "a");
    await workers.run(TICK_MS + 2);
    const calls: string[] = [];
    const spied = <T extends object>(port: T, name: string): T =>
      new Proxy(port, {
        get(target, method) {
          const call = Reflect.get(target, method);
          if (typeof call !== "function") return call;
          return (...args: unknown[]) => {
            calls.push(`${name}.${String(method)}`);
            return call.apply(target, args);
          };
        },
      });
    const { log, queue, connections } = service;
    const spying = {
      ...service,
      log: spied(log, "log"),
      queue: spied(queue, "queue"),
      connections: spied(connections, "connections"),
    };
    await publishTo(spying, "b");
    await publishTo(spying, "c", { ephemeral: true });
    expect(calls).toEqual(["log.append", "log.gather"]);
  });

  it("posts what is ephemeral in the same frame, once, and of a latest the newest of each sender", async () => {
    const service = tickedService();
    const workers = startWorkers(service);
    const [alice] = await join(service, 1);
    const position = (payload: string, from: string) =>
      publishTo(service, payload, { from, latest: "position", ephemeral: true });
    await publishTo(service, "numbered");
    await position("1", "alice");
    await position("2", "bob");
    await position("3", "alice");
    await publishTo(service, "shot", { from: "alice", ephemeral: true });
    await publishTo(service, "shield", { from: "alice", latest: "shield", ephemeral: true });
    await workers.run(TICK_MS + 2);
    const [frame, ...others] = framesTo(service, alice!);
    expect(frame && payloadsIn(frame)).toEqual(["numbered", "2", "3", "shot", "shield"]);
    expect(frame?.messages[2]).toEqual({ payload: "3", from: "alice", time: expect.any(Number) });
    await position("4", "alice");
    await workers.run(2 * TICK_MS);
    expect(others).toEqual([]);
    expect(framesTo(service, alice!).slice(1)).toMatchObject([{ messages: [{ payload: "4" }] }]);
    expect(framesTo(service, alice!)[1]).not.toHaveProperty("epoch");
  });

  it("spares a sender its own where it wants no copy, and tells nobody that", async () => {
    const service = tickedService();
    const workers = startWorkers(service);
    const [alice, bob, carol] = await join(service, 3);
    await publishTo(service, "of alice", { sender: alice!.id, echo: false });
    await publishTo(service, "of bob", { sender: bob!.id, echo: false });
    await publishTo(service, "of bob too", { sender: bob!.id, echo: false, ephemeral: true });
    await workers.run(TICK_MS + 2);
    expect(framesTo(service, alice!).map(payloadsIn)).toEqual([["of bob", "of bob too"]]);
    expect(framesTo(service, bob!).map(payloadsIn)).toEqual([["of alice"]]);
    expect(framesTo(service, carol!).map(payloadsIn)).toEqual([["of alice", "of bob", "of bob too"]]);
    expect(service.gateway.posts.some(({ frame }) => frame.includes("except"))).toBe(false);
  });

  it("tries again only those that were missed, and only what is numbered", async () => {
    const service = tickedService();
    const workers = startWorkers(service);
    const [alice, bob] = await join(service, 2);
    service.gateway.refuse(bob!.id, "throttled");
    await publishTo(service, "numbered");
    await publishTo(service, "ephemeral", { ephemeral: true });
    await workers.run(TICK_MS + 2);
    const [retry] = workers.taken.filter(({ kind }) => kind === "messages").concat(takeJobs<Job>(service));
    expect(retry).toMatchObject({ only: [{ id: bob!.id }], messages: [{ payload: "numbered" }] });
    expect(retry?.kind === "messages" && retry.messages).toHaveLength(1);
    expect(framesTo(service, alice!)).toHaveLength(1);
  });

  it("gives a large topic to the workers, in one frame each too", async () => {
    const service = tickedService({ inlineMax: 1, pageSize: 10 });
    const workers = startWorkers(service);
    const connections = await join(service, 45);
    await publishTo(service, "a", { sender: connections[0]!.id, echo: false });
    await publishTo(service, "b");
    await workers.run(2 * TICK_MS);
    for (const [index, connection] of connections.entries()) {
      expect(framesTo(service, connection).map(payloadsIn)).toEqual([index === 0 ? ["b"] : ["a", "b"]]);
    }
  });

  it("sends several frames where one would be too large, in order", async () => {
    const service = tickedService();
    const workers = startWorkers(service);
    const [alice] = await join(service, 1);
    const letters = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for (const letter of letters) await publishTo(service, letter.repeat(30_000));
    await workers.run(3 * TICK_MS);
    const frames = framesTo(service, alice!);
    expect(frames.length).toBeGreaterThan(1);
    expect(service.gateway.posts.every(({ frame }) => frame.length <= 128 * 1024)).toBe(true);
    expect(frames.flatMap(payloadsIn).map((payload) => String(payload)[0])).toEqual(letters);
  });

  it("leaves topics without a rule, and services whose frames hold one message, as they are", async () => {
    const service = tickedService();
    const [alice] = await join(service, 1);
    const { frames } = service.envelope;
    await publishTo({ ...service, envelope: { joins: false, frames } }, "at once");
    expect(framesTo(service, alice!).map(payloadsIn)).toEqual([["at once"]]);
    expect(takeJobs<Job>(service)).toEqual([]);
  });

  it("forgets what a deleted topic had, and begins anew", async () => {
    const service = tickedService();
    const workers = startWorkers(service);
    await publishTo(service, "deleted");
    await deleteTopic(service, DEFAULT_APP, game);
    const [alice] = await join(service, 1);
    await publishTo(service, "new");
    await workers.run(3 * TICK_MS);
    expect(framesTo(service, alice!).map(payloadsIn)).toEqual([["new"]]);
    expect(tickJobs(workers.taken).length).toBeLessThanOrEqual(3);
  });

  it("delivers what waits though the topic's rule has no ticks any more", async () => {
    const service = tickedService();
    const workers = startWorkers(service);
    const [alice] = await join(service, 1);
    await publishTo(service, "ticked");
    const without = { ...service, applications: { ...service.applications, find: async () => undefined } };
    await publishTo(without, "at once");
    await workers.run(2 * TICK_MS);
    const payloads = framesTo(service, alice!).flatMap(payloadsIn);
    expect(new Set(payloads)).toEqual(new Set(["at once", "ticked"]));
  });
});

describe("a tick whose publisher or worker dies", () => {
  it("is woken by those who counted on a publisher that never sent the job", async () => {
    const service = tickedService();
    const workers = startWorkers(service);
    const [alice] = await join(service, 1);
    const refusing = { ...service, queue: { ...service.queue, send: () => new Promise<void>(() => {}) } };
    void publishTo(refusing, "of the dead");
    await publishAll(service, [publishTo(service, "b"), publishTo(service, "c")]);
    await workers.run(2 * TICK_MS);
    expect(framesTo(service, alice!).flatMap(payloadsIn)).toEqual(["of the dead", "b", "c"]);
    const count = workers.taken.length;
    await workers.run(1_000);
    expect(workers.taken.length - count).toBeLessThanOrEqual(1);
  });

  it("is not acknowledged where the job can't be sent", async () => {
    const service = tickedService();
    const send = () => Promise.reject(new UnavailableError("queue", "throttled"));
    await expect(publishTo({ ...service, queue: { ...service.queue, send } }, "a")).rejects.toBeInstanceOf(
      UnavailableError,
    );
  });

  it("goes out at once where a publisher repeats it", async () => {
    const service = tickedService();
    const [alice] = await join(service, 1);
    const send = () => Promise.reject(new UnavailableError("queue", "throttled"));
    const keyed = { key: "k" };
    await expect(publishTo({ ...service, queue: { ...service.queue, send } }, "a", keyed)).rejects.toBeDefined();
    await publishTo(service, "a", keyed);
    expect(framesTo(service, alice!).map(payloadsIn)).toEqual([["a"]]);
  });

  it("takes place though one who took a number never writes", async () => {
    const service = tickedService();
    let writes = 0;
    const beforeWrite = () => (++writes === 2 ? new Promise<void>(() => {}) : undefined);
    const log = createMemoryTopicLog({ clock: service.clock, beforeWrite });
    const ticked = { ...service, log };
    const workers = startWorkers(service, (job) => doJob(ticked, job, PLENTY));
    const [alice] = await join(service, 1);
    await publishTo(ticked, "a");
    void publishTo(ticked, "never written");
    await publishAll(service, [publishTo(ticked, "c")]);
    await workers.run(2_500);
    expect(framesTo(service, alice!).map(payloadsIn)).toEqual([["a"], ["c"]]);
    await workers.run(500);
    const count = workers.taken.length;
    await workers.run(500);
    expect(workers.taken).toHaveLength(count);
  });

  it.each([
    ["before it sent the next job", "send"],
    ["before it posted", "subscribers"],
  ])("is made good by its job's next delivery where the worker died %s", async (_, step) => {
    const service = tickedService();
    const [alice] = await join(service, 1);
    const never = () => new Promise<never>(() => {});
    const dying =
      step === "send"
        ? { ...service, queue: { ...service.queue, send: never } }
        : { ...service, connections: { ...service.connections, subscribers: never } };
    let deaths = 0;
    const died: Job[] = [];
    const workers = startWorkers(service, async (job) => {
      if (job.kind === "tick" && deaths++ === 0) died.push(job);
      await doJob(died.includes(job) ? dying : service, job, PLENTY);
    });
    await publishTo(service, "numbered");
    await publishTo(service, "ephemeral", { ephemeral: true });
    await workers.run(TICK_MS + 2);
    await publishTo(service, "later");
    await workers.run(TICK_MS + 2);
    await doJob(service, { ...(died[0] as Job & { kind: "tick" }), mayHaveTaken: true }, PLENTY);
    await workers.run(2 * TICK_MS);
    const payloads = framesTo(service, alice!).flatMap(payloadsIn);
    expect(payloads).toEqual(expect.arrayContaining(["numbered", "later"]));
    expect(payloads.filter((payload) => payload === "ephemeral").length).toBeLessThanOrEqual(1);
  });

  it("is posted once though its job comes twice", async () => {
    const service = tickedService();
    const workers = startWorkers(service, async (job) => {
      await Promise.all([doJob(service, job, PLENTY), doJob(service, job, PLENTY)]);
    });
    const [alice] = await join(service, 1);
    for (let i = 0; i < 20; i++) {
      await publishTo(service, `${i}`);
      await workers.run(15);
    }
    await workers.run(200);
    expect(framesTo(service, alice!).flatMap(payloadsIn)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
  });

  it("is woken anew where its job is long overdue, and the late job then does nothing", async () => {
    const service = tickedService();
    const [alice] = await join(service, 1);
    await publishTo(service, "a");
    const late = takeJobs<Job>(service);
    await service.clock.advance(1_000 + TICK_MS);
    await publishTo(service, "relies on it");
    expect(takeJobs<Job>(service)).toEqual([]);
    await service.clock.advance(1);
    await publishTo(service, "wakes");
    const workers = startWorkers(service);
    await workers.run(TICK_MS + 2);
    expect(framesTo(service, alice!).map(payloadsIn)).toEqual([["a", "relies on it", "wakes"]]);
    for (const job of late) await doJob(service, job, PLENTY);
    await workers.run(3 * TICK_MS);
    expect(framesTo(service, alice!)).toHaveLength(1);
  });

  it("comes with a job that is late all the same, and those sent for it meanwhile then do nothing", async () => {
    const service = tickedService();
    const [alice] = await join(service, 1);
    await publishTo(service, "a");
    const jobs = takeJobs<Job>(service);
    for (const payload of ["b", "c", "d"]) {
      await service.clock.advance(1_000 + 2 * TICK_MS);
      await publishTo(service, payload);
      jobs.push(...takeJobs<Job>(service));
    }
    expect(jobs).toHaveLength(4);
    const workers = startWorkers(service);
    for (const job of jobs) {
      const done = doJob(service, job, PLENTY);
      await workers.run(TICK_MS);
      await done;
      expect(framesTo(service, alice!).map(payloadsIn)).toEqual([["a", "b", "c", "d"]]);
    }
  });

  it("is taken though its publisher says only then that its job was sent", async () => {
    const service = tickedService();
    const [alice] = await join(service, 1);
    let sent = () => {};
    const log = {
      ...service.log,
      replaceWakeUp: async (...args: Parameters<typeof service.log.replaceWakeUp>) => {
        await new Promise<void>((resolve) => {
          sent = resolve;
        });
        return service.log.replaceWakeUp(...args);
      },
      claimTick: async (...args: Parameters<typeof service.log.claimTick>) => {
        sent();
        await settle();
        return service.log.claimTick(...args);
      },
    };
    const workers = startWorkers(service, (job) => doJob({ ...service, log }, job, PLENTY));
    const published = publishTo({ ...service, log }, "a");
    await workers.run(2 * TICK_MS);
    await published;
    await workers.run(3 * TICK_MS);
    expect(framesTo(service, alice!).map(payloadsIn)).toEqual([["a"]]);
  });

  it("leaves what there is no time for to other workers", async () => {
    const service = tickedService();
    const [alice] = await join(service, 1);
    await publishTo(service, "a");
    const [job] = takeJobs<Job>(service);
    const done = doJob(service, job!, () => 16_000);
    await service.clock.advance(TICK_MS);
    await done;
    expect(framesTo(service, alice!)).toEqual([]);
    const workers = startWorkers(service);
    await workers.run(TICK_MS);
    expect(framesTo(service, alice!).map(payloadsIn)).toEqual([["a"]]);
  });

  it("becomes jobs that a queue takes, however many small messages there are", async () => {
    const service = tickedService();
    await join(service, 501);
    for (let i = 0; i < 20; i++) {
      const payloads = Array.from({ length: 100 }, (_, at) => i * 100 + at);
      await publishTo(service, "", { payloads, from: "x".repeat(60) });
    }
    const [job] = takeJobs<Job>(service);
    const done = doJob(service, job!, PLENTY);
    await service.clock.advance(TICK_MS);
    await done;
    const fanouts = takeJobs<Job>(service).filter(({ kind }) => kind === "messages");
    expect(fanouts.length).toBeGreaterThan(0);
    for (const fanout of fanouts) expect(JSON.stringify(fanout).length).toBeLessThan(140_000);
  });

  it("is tried again where the store is away, before and after it was taken", async () => {
    for (const method of ["readTick", "claimTick"] as const) {
      const service = tickedService();
      const [alice] = await join(service, 1);
      let failures = 0;
      const log = { ...service.log };
      const throttled = (...args: never[]) => {
        failures += 1;
        if (failures === 1) throw new UnavailableError("store", "throttled");
        return (service.log[method] as (...args: never[]) => Promise<never>)(...args);
      };
      Object.assign(log, { [method]: async (...args: never[]) => throttled(...args) });
      const workers = startWorkers(service, (job) => doJob({ ...service, log }, job, PLENTY));
      await publishTo(service, "a");
      await workers.run(1_500);
      expect(framesTo(service, alice!).map(payloadsIn)).toEqual([["a"]]);
    }
  });
});
