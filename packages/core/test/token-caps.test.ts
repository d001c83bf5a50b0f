import { describe, expect, it, jest } from "@jest/globals";
import { allow, mintToken, type Operation, type Right } from "@topicast/core";
import { parseTopic, type Topic } from "@topicast/protocol";
import { aTopic } from "@topicast/testing";
import fc from "fast-check";
import { OPERATIONS } from "../src/access.ts";
import { aPattern, tokenCase } from "./token-case.ts";

// A machine that does much else may be slow with a hundred doors.
jest.setTimeout(60_000);

type Cap = Readonly<Record<string, readonly Operation[]>>;

async function callerWith(cap: Cap, keyTopics = "*", keyRights: readonly Right[] = OPERATIONS) {
  const { createApplication, addKey, check, clock } = await tokenCase();
  await createApplication("game");
  const key = await addKey("game", "k1", { grants: [{ topics: aPattern(keyTopics), rights: keyRights }] });
  const token = await mintToken({ key, sub: "alice", cap, lifetimeMs: 60_000, clock });
  if (!token.ok) throw new Error(token.fault.message);
  const caller = await check(token.value);
  if (!caller.ok) throw new Error(caller.fault.message);
  return caller.value;
}

describe("a cap's pattern", () => {
  it.each([
    ["room/*", "room/1", true],
    ["room/*", "room/1/2", true],
    ["room/*", "room", false],
    ["room/*", "rooms/1", false],
    ["room/*", "xroom/1", false],
    ["room/*", "Room/1", false],
    ["room/*", "x/room/1", false],
    ["room", "room", true],
    ["room", "room/1", false],
    ["room/1/*", "room/1/x", true],
    ["room/1/*", "room/10/x", false],
    ["*", "room", true],
    ["*", "зал/комната-1", true],
    ["зал/*", "зал/комната-1", true],
    ["зал/*", "зала/1", false],
    ["部屋/*", "部屋/一", true],
    // A Cyrillic о is not a Latin o.
    ["room/*", "r\u043eom/1", false],
    ["caf\u00e9/*", "caf\u00e9/1", true],
  ])("%s on %s: %s", async (pattern, topic, isAllowed) => {
    const caller = await callerWith({ [pattern]: ["publish"] });
    expect(allow(caller, "publish", aTopic(topic)).ok).toBe(isAllowed);
    expect(allow(caller, "subscribe", aTopic(topic)).ok).toBe(false);
  });

  // Nobody gets as far as asking what a cap says of them.
  it.each([
    "room/",
    "/room",
    "room//1",
    "room/../x",
    "room/./x",
    "..",
    "$room/1",
    "room/*",
    "cafe\u0301/1",
    "room/\u200b1",
    "room 1",
  ])("never meets %j, which is no topic", (name) => {
    expect(parseTopic(name)).toMatchObject({ ok: false, fault: { code: "invalid_topic" } });
  });

  it("says the same of a topic that there is and of one that there isn't", async () => {
    const message = "This token or key may not publish to secret.";
    expect(allow(await callerWith({}), "publish", aTopic("secret"))).toEqual({
      ok: false,
      fault: { code: "forbidden", message },
    });
  });
});

/** The rule in plain words: the same name, or everything, or something behind the part before the star. */
function isGranted(cap: Cap, operation: Operation, topic: string): boolean {
  const segments = topic.split("/");
  return Object.entries(cap).some(([pattern, operations]) => {
    const wanted = pattern.split("/");
    const isStar = wanted.at(-1) === "*";
    const fixed = isStar ? wanted.slice(0, -1) : wanted;
    const isLongEnough = isStar ? segments.length > fixed.length : segments.length === fixed.length;
    return operations.includes(operation) && isLongEnough && fixed.every((segment, at) => segments[at] === segment);
  });
}

// Few names, so that patterns and topics meet.
const segment = fc.constantFrom("a", "b", "aa", "é", "部", "__proto__");
const topic = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"));
const pattern = fc
  .tuple(fc.array(segment, { maxLength: 3 }), fc.boolean())
  .map(([segments, isStar]) => (isStar || segments.length === 0 ? [...segments, "*"] : segments).join("/"));
const cap = fc
  .array(fc.tuple(pattern, fc.subarray([...OPERATIONS])), { maxLength: 6 })
  // Not by assignment: `__proto__` is a name like others.
  .map((entries) => Object.fromEntries(entries));

it("a token grants what its cap says and its key may, and nothing else", async () => {
  const key = fc.tuple(pattern, fc.subarray([...OPERATIONS]));
  const topicNames = fc.array(topic, { minLength: 10, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(cap, key, topicNames, async (cap, [topics, rights], names) => {
      const caller = await callerWith(cap, topics, rights);
      const asked = (names as Topic[]).flatMap((name) => OPERATIONS.map((operation) => ({ name, operation })));
      const expected = asked.map(
        ({ name, operation }) => isGranted(cap, operation, name) && isGranted({ [topics]: rights }, operation, name),
      );
      expect(asked.map(({ name, operation }) => allow(caller, operation, name).ok)).toEqual(expected);
      expect(allow(caller, "admin", aTopic("a")).ok).toBe(false);
    }),
    { numRuns: 100 },
  );
});
