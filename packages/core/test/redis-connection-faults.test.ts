import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { aConnection, aTopic, startRedis, startRedisServer, type TestClock, testClock } from "@topicast/testing";
import type { Topic } from "@topicast/protocol";
import { connectRedis, createRedisConnectionStore, type Redis } from "../src/drivers/redis.ts";
import { connectionKey, countsKey, subscribersKey, userKey } from "../src/drivers/redis/keys.ts";
import { topicHash } from "../src/drivers/topic-hash.ts";
import { type Connection, type ConnectionStore, DEFAULT_APP } from "../src/index.ts";
import { useRedis } from "./redis-clients.ts";

const topic = aTopic();
const other = aTopic("other");
const UNAVAILABLE = { name: "UnavailableError", part: "store" };

/** How commands fail: they never arrive, or they are done and their answers are lost, or only that of the first. */
type Fault = "lost" | "unanswered" | "unanswered once";
const FAULTS: readonly Fault[] = ["lost", "unanswered"];

interface Command {
  readonly promise: Promise<unknown>;
  getKeys(): readonly (string | Buffer)[];
  reject(error: Error): void;
}

/** Lets commands fail whose key is the one that is given, as where one node of a cluster has gone. */
function breakKeys(redis: Redis): (key: string | undefined, fault?: Fault) => void {
  let broken: string | undefined;
  let how: Fault = "lost";
  const client = redis as unknown as { sendCommand: (command: Command, ...rest: unknown[]) => unknown };
  const send = client.sendCommand.bind(redis);
  client.sendCommand = (command, ...rest) => {
    if (broken === undefined || !String(command.getKeys()[0]).endsWith(broken)) return send(command, ...rest);
    const error = new Error("Connection is closed.");
    if (how === "unanswered once") broken = undefined;
    if (how !== "lost") return Promise.resolve(send(command, ...rest)).then(() => Promise.reject(error));
    command.reject(error);
    return command.promise;
  };
  return (key, fault = "lost") => {
    broken = key;
    how = fault;
  };
}

const open = useRedis(startRedis);
let redis: Redis;
let clock: TestClock;
let store: ConnectionStore;
let close: () => Promise<void>;
let breakKey: ReturnType<typeof breakKeys>;

beforeEach(async () => {
  ({ redis, close } = open());
  // Connected, so that no command is sent again by the queue of those that wait for it.
  await redis.ping();
  breakKey = breakKeys(redis);
  clock = testClock();
  store = createRedisConnectionStore({ redis, clock });
});
afterEach(() => close());

function aUser(): Connection {
  return aConnection({ from: "alice", room: topic, connectedAt: clock.now() });
}

const keyOfTopic = (of: Topic) => subscribersKey(topicHash(DEFAULT_APP, of));
const KEY_OF_USER = userKey(DEFAULT_APP, "alice");

function subscribe(connection: Connection, to = other) {
  const { app, validUntil } = connection;
  return store.subscribe({ app, topic: to, connection, validUntil, maxSubscriptions: 9 });
}

/** What fails while commands for a key do. */
async function expectBroken(key: string, fault: Fault, run: () => Promise<unknown>): Promise<void> {
  breakKey(key, fault);
  await expect(run()).rejects.toMatchObject(UNAVAILABLE);
  breakKey(undefined);
}

/** Who is in the two topics, and of the user. */
async function idsEverywhere() {
  const idsIn = async (of: Topic) => {
    const page = await store.subscribers({ app: DEFAULT_APP, topic: of, limit: 9, freshness: "fresh" });
    return page.subscribers.map(({ id }) => id);
  };
  const { connections } = await store.connectionsOf(DEFAULT_APP, "alice", { limit: 9 });
  return { room: await idsIn(topic), other: await idsIn(other), user: connections.map(({ id }) => id) };
}

const NOBODY = { room: [], other: [], user: [] };

describe.each(FAULTS)("where one slot's command is %s", (fault) => {
  it("a connect leaves nobody whom no row leads to, and is repeated", async () => {
    const user = aUser();
    await expectBroken(connectionKey(user.app, user.id), fault, () => store.connect(user));
    expect(await idsEverywhere()).toEqual(NOBODY);
    await store.connect(user);
    expect(await idsEverywhere()).toEqual({ ...NOBODY, room: [user.id], user: [user.id] });
  });

  it("a connect that is repeated takes nobody out of where it was", async () => {
    const user = aUser();
    await store.connect(user);
    await expectBroken(connectionKey(user.app, user.id), fault, () => store.connect(user));
    expect(await idsEverywhere()).toEqual({ ...NOBODY, room: [user.id], user: [user.id] });
  });

  it.each([
    ["room", keyOfTopic(topic)],
    ["user", KEY_OF_USER],
  ])("a connect that failed at the %s is repeated, and a disconnect leaves nothing of it", async (_, key) => {
    const [repeated, given] = [aUser(), aUser()];
    for (const user of [repeated, given]) await expectBroken(key, fault, () => store.connect(user));
    await store.connect(repeated);
    await store.disconnect(DEFAULT_APP, given.id);
    expect(await idsEverywhere()).toEqual({ ...NOBODY, room: [repeated.id], user: [repeated.id] });
  });

  it("a subscribe is repeated, and a disconnect leaves nothing of it", async () => {
    const [repeated, given] = [aUser(), aUser()];
    for (const user of [repeated, given]) {
      await store.connect(user);
      await expectBroken(keyOfTopic(other), fault, () => subscribe(user));
    }
    await subscribe(repeated);
    await store.disconnect(DEFAULT_APP, given.id);
    expect((await idsEverywhere()).other).toEqual([repeated.id]);
  });

  it("an unsubscribe is repeated, whichever half failed", async () => {
    const user = aUser();
    await store.connect(user);
    for (const key of [keyOfTopic(other), connectionKey(user.app, user.id)]) {
      await subscribe(user);
      await expectBroken(key, fault, () => store.unsubscribe(DEFAULT_APP, other, user.id));
      await store.unsubscribe(DEFAULT_APP, other, user.id);
      expect((await idsEverywhere()).other).toEqual([]);
      expect(await store.unsubscribe(DEFAULT_APP, other, user.id)).toBe(false);
    }
  });

  it.each([
    ["room", keyOfTopic(topic)],
    ["other topic", keyOfTopic(other)],
    ["user", KEY_OF_USER],
  ])("a disconnect that failed at the %s is known nowhere, and is repeated", async (_, key) => {
    const user = aUser();
    await store.connect(user);
    await subscribe(user);
    await expectBroken(key, fault, () => store.disconnect(DEFAULT_APP, user.id));
    expect(await store.get(DEFAULT_APP, user.id, "fresh")).toBeUndefined();
    expect(await subscribe(user)).toEqual({ status: "unknown_connection" });
    // Already by the first it had left.
    expect(await store.disconnect(DEFAULT_APP, user.id)).toBe(false);
    expect(await idsEverywhere()).toEqual(NOBODY);
  });

  it("a disconnect that failed at once is repeated", async () => {
    const user = aUser();
    await store.connect(user);
    await subscribe(user);
    const leave = () => store.disconnect(DEFAULT_APP, user.id);
    await expectBroken(connectionKey(user.app, user.id), fault, leave);
    expect(await leave()).toBe(fault === "lost");
    expect(await idsEverywhere()).toEqual(NOBODY);
  });

  it("a connect with a limit that failed takes nobody's place", async () => {
    const [failed, next] = [aUser(), aUser()];
    for (const key of [KEY_OF_USER, keyOfTopic(topic)]) {
      await expectBroken(key, fault, () => store.connect(failed, 1));
      // As the use case does.
      await store.disconnect(DEFAULT_APP, failed.id);
    }
    expect(await store.connect(next, 1)).toBe("connected");
    await store.disconnect(DEFAULT_APP, next.id);
    breakKey(countsKey(DEFAULT_APP), fault);
    await expect(store.connect(failed, 1)).rejects.toMatchObject(UNAVAILABLE);
    expect(await store.get(DEFAULT_APP, failed.id, "fresh")).toBeUndefined();
  });
});

it("counts a connection once, and gives its place back once, where an answer is lost and the command sent again", async () => {
  const [one, two, three] = [aUser(), aUser(), aUser()];
  const connect = (connection: Connection) => store.connect(connection, 2);
  const full = async () => expect(await connect(aUser())).toBe("too_many_connections");
  breakKey(countsKey(DEFAULT_APP), "unanswered once");
  expect(await connect(one)).toBe("connected");
  breakKey(connectionKey(DEFAULT_APP, two.id), "unanswered once");
  expect(await connect(two)).toBe("connected");
  await full();
  breakKey(countsKey(DEFAULT_APP), "unanswered once");
  await store.disconnect(DEFAULT_APP, one.id);
  expect(await connect(three)).toBe("connected");
  await full();
  breakKey(connectionKey(DEFAULT_APP, two.id), "unanswered once");
  await store.disconnect(DEFAULT_APP, two.id);
  expect(await connect(one)).toBe("connected");
  await full();
});

it("counts nobody whom it refused while the server hung, though that does later what it was sent", async () => {
  const server = await startRedisServer();
  const [hanging, operator] = [connectRedis(server.url), connectRedis(server.url)];
  const connections = createRedisConnectionStore({ redis: hanging, clock });
  await connections.connect(aUser(), 1_000);
  server.pause();
  const refused = await Promise.allSettled(Array.from({ length: 3 }, () => connections.connect(aUser(), 1_000)));
  for (const outcome of refused) expect(outcome).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
  server.resume();
  // Behind all that was sent before.
  await operator.ping();
  expect(await connections.connect(aUser(), 2)).toBe("connected");
  expect(await connections.connect(aUser(), 2)).toBe("too_many_connections");
  for (const redis of [hanging, operator]) redis.disconnect();
  await server.stop();
}, 30_000);

it("lets connections go where memory is full, and gives their places back", async () => {
  const server = await startRedisServer();
  const full = connectRedis(server.url);
  const connections = createRedisConnectionStore({ redis: full, clock });
  const users = [aUser(), aUser()];
  for (const user of users) await connections.connect(user, 2);
  await full.call("CONFIG", "SET", "maxmemory", "1");
  await expect(connections.connect(aUser(), 3)).rejects.toMatchObject(UNAVAILABLE);
  for (const { id } of users) expect(await connections.disconnect(DEFAULT_APP, id)).toBe(true);
  await full.call("CONFIG", "SET", "maxmemory", "0");
  const page = await connections.subscribers({ app: DEFAULT_APP, topic, limit: 9, freshness: "fresh" });
  expect(page.subscribers).toEqual([]);
  for (const outcome of ["connected", "connected", "too_many_connections"]) {
    expect(await connections.connect(aUser(), 2)).toBe(outcome);
  }
  full.disconnect();
  await server.stop();
});
