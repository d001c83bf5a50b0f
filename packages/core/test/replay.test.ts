import { describe, expect, it } from "@jest/globals";
import { type Connection, DEFAULT_APP, DEFAULT_RULE, type ReplayJob, UnavailableError } from "@topicast/core";
import type { Place } from "@topicast/protocol";
import { aConnection, aTopic } from "@topicast/testing";
import { replay } from "../src/use-cases/replay.ts";
import { PLENTY, type TestService, takeJobs, testService, work } from "./test-service.ts";

const topic = aTopic("lobby");
const MINUTE_MS = 60_000;

/** A room with `count` messages and a connection that comes back to it. */
async function comeBack(service: TestService, count: number, ageMs = MINUTE_MS) {
  const { clock, connections, gateway, log } = service;
  const { retention } = DEFAULT_RULE;
  const target = aConnection({ room: topic, connectedAt: clock.now() - ageMs });
  await connections.connect(target);
  gateway.open(target);
  for (let n = 1; n <= count; n++) {
    await log.append(DEFAULT_APP, topic, { payloads: [n], time: clock.now() }, retention);
  }
  const until = await log.place(DEFAULT_APP, topic);
  return { target, job: jobOf(target, { epoch: until.epoch, seq: 0 }, until), epoch: until.epoch };
}

function jobOf({ id, address, connectedAt }: Connection, since: Place, until: Place): ReplayJob {
  const target = { id, address, connectedAt };
  return { kind: "replay", app: DEFAULT_APP, topic, target, since, until, attempt: 1 };
}

const framesOf = ({ gateway }: TestService, { id }: Connection) => gateway.frames(id).map((frame) => JSON.parse(frame));

/** Numbers of messages, in the order in which they came, and what `recovery` said. */
function story(service: TestService, target: Connection): (number | boolean)[] {
  return framesOf(service, target).flatMap(({ type, messages, recovered }) =>
    type === "recovery" ? [recovered] : messages.map(({ seq }: { seq: number }) => seq),
  );
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

describe("replay", () => {
  it("posts all after a place in order, over pages, and then how it went", async () => {
    const service = testService();
    const { target, job, epoch } = await comeBack(service, 250);
    await replay(service, job, PLENTY);
    expect(story(service, target)).toEqual([...upTo(250), true]);
    expect(framesOf(service, target).at(-1)).toEqual({ type: "recovery", epoch, seq: 250, recovered: true });
    expect(takeJobs(service)).toEqual([]);
  });

  it("says so where the history can't give all of it, and posts none of it", async () => {
    const service = testService();
    const { target, job } = await comeBack(service, 3);
    await replay(service, { ...job, since: { epoch: "other", seq: 0 } }, PLENTY);
    expect(story(service, target)).toEqual([false]);
  });

  it("goes on behind what came through, with attempts anew, where a post fails", async () => {
    const service = testService();
    const { target, job, epoch } = await comeBack(service, 5);
    let posts = 0;
    const gateway: typeof service.gateway = {
      ...service.gateway,
      async post(targets, frame, options) {
        if (++posts === 3) return { gone: [], throttled: targets, failed: [] };
        return service.gateway.post(targets, frame, options);
      },
    };
    await replay({ ...service, gateway }, { ...job, attempt: 4 }, PLENTY);
    expect(takeJobs<ReplayJob>(service)).toEqual([]);
    await service.clock.advance(1_000);
    const [next] = takeJobs<ReplayJob>(service);
    expect(next).toEqual({ ...job, since: { epoch, seq: 2 }, attempt: 1 });
    await replay(service, next!, PLENTY);
    expect(story(service, target)).toEqual([...upTo(5), true]);
  });

  it("ends where its connection joined: the rest comes live", async () => {
    const service = testService();
    const { target, job, epoch } = await comeBack(service, 120);
    await replay(service, { ...job, until: { epoch, seq: 110 } }, PLENTY);
    expect(story(service, target)).toEqual([...upTo(110), true]);
    expect(framesOf(service, target).at(-1)).toMatchObject({ type: "recovery", seq: 110 });
  });

  it("ends at a void number, whatever follows it", async () => {
    const service = testService();
    const { target, job, epoch } = await comeBack(service, 1);
    const { retention } = DEFAULT_RULE;
    for (let n = 0; n < 150; n++) {
      await service.log.append(DEFAULT_APP, topic, { payloads: [n], time: service.clock.now() }, retention);
    }
    // As where number 2 was made void: the log has it not.
    const readSince: typeof service.log.readSince = async (...call) => {
      const page = await service.log.readSince(...call);
      return page.recovered ? { ...page, messages: page.messages.filter(({ seq }) => seq !== 2) } : page;
    };
    await replay({ ...service, log: { ...service.log, readSince } }, { ...job, until: { epoch, seq: 2 } }, PLENTY);
    expect(story(service, target)).toEqual([1, true]);
  });

  it("waits for numbers that were taken before its connection joined", async () => {
    const service = testService();
    const { target, job, epoch } = await comeBack(service, 2);
    await replay(service, { ...job, until: { epoch, seq: 3 } }, PLENTY);
    expect(story(service, target)).toEqual([1, 2]);
    await service.log.append(DEFAULT_APP, topic, { payloads: [3], time: service.clock.now() }, DEFAULT_RULE.retention);
    await work(service, 2);
    expect(story(service, target)).toEqual([1, 2, 3, true]);
  });

  it("takes no more than its share of a worker's time", async () => {
    const service = testService();
    const { target, job, epoch } = await comeBack(service, 250);
    const gateway: typeof service.gateway = {
      ...service.gateway,
      async post(targets, frame, options) {
        await service.clock.sleep(400);
        return service.gateway.post(targets, frame, options);
      },
    };
    const replaying = replay({ ...service, gateway }, job, PLENTY);
    await service.clock.advance(60_000);
    await replaying;
    expect(takeJobs<ReplayJob>(service)).toEqual([{ ...job, since: { epoch, seq: 100 } }]);
    expect(story(service, target)).toEqual(upTo(100));
  });

  it("waits for a connection that is still being made", async () => {
    const service = testService();
    const { target, job } = await comeBack(service, 2, 0);
    service.gateway.refuse(target.id, "gone");
    await replay(service, job, PLENTY);
    await work(service, 2);
    service.gateway.refuse(target.id, undefined);
    await work(service, 5);
    expect(story(service, target)).toEqual([1, 2, true]);
  });

  it("ends with a connection that is gone", async () => {
    const service = testService();
    const { target, job } = await comeBack(service, 2);
    service.gateway.vanish(target.id);
    await replay(service, job, PLENTY);
    expect(service.gateway.posts).toHaveLength(1);
    await work(service, 60);
    expect(service.gateway.posts).toHaveLength(1);
  });

  it("becomes a dead letter where nothing gets through", async () => {
    const service = testService({ maxAttempts: 3 });
    const { target, job } = await comeBack(service, 2);
    service.gateway.refuse(target.id, "throttled");
    await replay(service, job, PLENTY);
    await work(service, 30);
    expect(service.queue.deadLetters.map(({ body }) => JSON.parse(body))).toEqual([job]);
    expect(service.gateway.posts).toHaveLength(3);
  });

  it("hands on what it has no time for", async () => {
    const service = testService();
    const { target, job, epoch } = await comeBack(service, 150);
    let reads = 0;
    await replay(service, job, () => (reads++ > 0 ? (service.gateway.posts.length < 100 ? 60_000 : 9_999) : 60_000));
    const [next] = takeJobs<ReplayJob>(service);
    expect(next).toEqual({ ...job, since: { epoch, seq: 100 } });
    await replay(service, next!, PLENTY);
    expect(story(service, target)).toEqual([...upTo(150), true]);
  });

  it("comes again later where the history can't be read", async () => {
    const service = testService();
    const { target, job } = await comeBack(service, 1);
    const readSince = () => Promise.reject(new UnavailableError("store", "throttled"));
    await replay({ ...service, log: { ...service.log, readSince } }, job, PLENTY);
    expect(story(service, target)).toEqual([]);
    await work(service, 3);
    expect(story(service, target)).toEqual([1, true]);
  });
});
