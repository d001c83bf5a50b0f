import { generateKeyPairSync, sign } from "node:crypto";
import { beforeEach, describe, expect, it } from "@jest/globals";
import { CACHE_MS, mintToken, UnavailableError } from "@topicast/core";
import { TEST_START } from "@topicast/testing";
import { hashSecret } from "../src/application-key.ts";
import { MAX_ACCESS_BYTES, MAX_TOKEN_BYTES } from "../src/use-cases/check-token.ts";
import { aPattern, hmacToken, part, signingKeyOfKey, tokenCase } from "./token-case.ts";

const WRONG = { ok: false, fault: { code: "unauthorized", message: "This token is not valid." } };
const NOW = TEST_START / 1_000;
const HEADER = { alg: "HS256", kid: "game.k1" };
const CLAIMS = { sub: "alice-is-a-secret", exp: NOW + 60, cap: { "room/*": ["subscribe", "publish"] } };

let doors: Awaited<ReturnType<typeof tokenCase>>;
/** What signs the tokens of `game.k1`, and of `other.k1`. */
let [signingKey, otherKey] = ["", ""];
let secretHash = "";

beforeEach(async () => {
  doors = await tokenCase();
  await doors.createApplication("game");
  await doors.createApplication("other");
  const key = await doors.addKey("game", "k1");
  signingKey = signingKeyOfKey(key);
  secretHash = hashSecret(key.slice("game.k1:".length));
  otherKey = signingKeyOfKey(await doors.addKey("other", "k1"));
});

const signed = (claims: unknown = CLAIMS, header: unknown = HEADER) => hmacToken(signingKey, header, claims);
const withCap = (cap: unknown) => signed({ ...CLAIMS, cap });
const patterns = (count: number, length = 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}`.padEnd(length, "x"), ["subscribe"]]));

async function expectRefusal(token: string, reason: string): Promise<void> {
  await expect(doors.check(token)).resolves.toEqual(WRONG);
  const { logged } = doors;
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain(reason);
  // Neither the token nor anything that it says.
  for (const piece of [...token.split("."), "alice"]) if (piece.length > 4) expect(logged[0]).not.toContain(piece);
}

describe("no token", () => {
  it.each([undefined, ""])("%j says where to put one", async (token) => {
    const message = "Give a token: as `Authorization: Bearer`, `?token=` or the subprotocols `bearer, <token>`.";
    await expect(doors.check(token)).resolves.toEqual({ ok: false, fault: { code: "unauthorized", message } });
    expect(doors.logged).toEqual([]);
  });
});

const { privateKey: rsaKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
function rsaToken(header: object): string {
  const text = `${part({ alg: "RS256", ...header })}.${part(CLAIMS)}`;
  return `${text}.${sign("sha256", Buffer.from(text), rsaKey).toString("base64url")}`;
}

const NO_JWT = "It is no JWT that was signed";
const BAD_SIGNATURE = "Key game.k1: ERR_JWS_SIGNATURE_VERIFICATION_FAILED";
const BAD_JWS = "Key game.k1: ERR_JWS_INVALID";
const BAD_JWT = "Key game.k1: ERR_JWT_INVALID";
const NOT_SUPPORTED = "Key game.k1: ERR_JOSE_NOT_SUPPORTED";
const NO_KEY = "There is no such key, or it has expired.";
const jwk = { kty: "oct", k: part("attacker") };

describe("a token is refused", () => {
  const rows: readonly [string, () => string, reason: string][] = [
    ["that is garbage", () => "garbage", NO_JWT],
    ["of three words", () => "a.b.c", NO_JWT],
    ["of dots", () => "..", NO_JWT],
    ["of another script", () => "токен.токен.токен", NO_JWT],
    ["of a whole application key", () => `game.k1:${"x".repeat(43)}`, NO_JWT],
    ["of one segment too few", () => signed().split(".").slice(0, 2).join("."), NO_JWT],
    ["of one segment more", () => `${signed()}.${part("more")}`, NO_JWT],
    ["that is a JWE", () => `${part({ ...HEADER, enc: "A128GCM" })}.a.b.c.d`, BAD_JWS],
    ["of 4 KB and a byte", () => signed().padEnd(MAX_TOKEN_BYTES + 1, "A"), `longer than ${MAX_TOKEN_BYTES} bytes`],
    ["that another key signed", () => hmacToken("guess", HEADER, CLAIMS), BAD_SIGNATURE],
    ["that another application's key signed", () => hmacToken(otherKey, HEADER, CLAIMS), BAD_SIGNATURE],
    ["whose signature is missing", () => `${signed().split(".").slice(0, 2).join(".")}.`, BAD_SIGNATURE],
    ["whose signature is of other claims", () => swapPayload(signed()), BAD_SIGNATURE],
    [
      "that the hash for HTTP signed, which is stored as it is",
      () => hmacToken(secretHash, HEADER, CLAIMS),
      BAD_SIGNATURE,
    ],
    ...["none", "None", "nOnE", "NONE", "", "hs256", "HS384", "HS512", "RS256", null, ["HS256"]]
      .map(
        (alg) => [`of the algorithm ${JSON.stringify(alg)}`, () => signed(CLAIMS, { ...HEADER, alg }), NO_JWT] as const,
      )
      .map(([name, token, reason]): [string, () => string, string] => [name, token, reason]),
    ["unsigned", () => `${part({ ...HEADER, alg: "none" })}.${part(CLAIMS)}.`, NO_JWT],
    ["without an algorithm", () => signed(CLAIMS, { kid: "game.k1" }), NO_JWT],
    ["that RSA signed", () => rsaToken({ kid: "game.k1" }), NO_JWT],
    ["that RSA signed, calling it HS256", () => rsaToken(HEADER), BAD_SIGNATURE],
    ["of no key", () => signed(CLAIMS, { alg: "HS256" }), NO_JWT],
    ...[
      1,
      null,
      {},
      ["game.k1"],
      "",
      "game",
      "game.",
      ".k1",
      "game.k1.x",
      "GAME.k1",
      "game.__proto__",
      "__proto__.k1",
      "game.k1\n",
    ].map((kid): [string, () => string, string] => [
      `of the key ${JSON.stringify(kid)}`,
      () => signed(CLAIMS, { ...HEADER, kid }),
      NO_JWT,
    ]),
    ["of a key that there isn't", () => signed(CLAIMS, { ...HEADER, kid: "game.k2" }), `Key game.k2: ${NO_KEY}`],
    [
      "of an application that there isn't",
      () => signed(CLAIMS, { ...HEADER, kid: "nobody.k1" }),
      `Key nobody.k1: ${NO_KEY}`,
    ],
    [
      "of an application called like what every object has",
      () => signed(CLAIMS, { ...HEADER, kid: "constructor.k1" }),
      NO_KEY,
    ],
    ["with an unknown critical header", () => signed(CLAIMS, { ...HEADER, crit: ["x"], x: 1 }), NOT_SUPPORTED],
    ["with a critical header that isn't there", () => signed(CLAIMS, { ...HEADER, crit: ["b64"] }), BAD_JWS],
    ["with an empty list of critical headers", () => signed(CLAIMS, { ...HEADER, crit: [] }), BAD_JWS],
    ["whose payload isn't encoded", () => unencoded(), "Key game.k1: "],
    ["whose header brings its key along", () => hmacToken("attacker", { ...HEADER, jwk }, CLAIMS), BAD_SIGNATURE],
    ["whose payload is a list", () => signed([]), BAD_JWT],
    ["whose payload is null", () => signed("null"), BAD_JWT],
    ["whose payload isn't JSON", () => signed("{"), BAD_JWT],
    ["without exp", () => signed({ ...CLAIMS, exp: undefined }), "`exp` must be there"],
    ["whose exp is a text", () => signed({ ...CLAIMS, exp: String(NOW + 60) }), "Key game.k1: ERR_JWT_CLAIM"],
    ["whose exp is null", () => signed({ ...CLAIMS, exp: null }), "Key game.k1: ERR_JWT_CLAIM"],
    ["whose exp is beyond all numbers", () => signed('{"sub":"alice","exp":1e400}'), "`exp` must be there"],
    [
      "whose exp is in ms of a far future",
      () => signed({ ...CLAIMS, exp: Number.MAX_SAFE_INTEGER }),
      "`exp` must be there",
    ],
    ["whose exp was a second ago", () => signed({ ...CLAIMS, exp: NOW - 1 }), "`exp` has passed"],
    ["whose exp is this very ms", () => signed({ ...CLAIMS, exp: NOW }), "`exp` has passed"],
    ["whose exp was long ago", () => signed({ ...CLAIMS, exp: 0 }), "Key game.k1: ERR_JWT_EXPIRED"],
    ["whose nbf is more than 5 s ahead", () => signed({ ...CLAIMS, nbf: NOW + 5.001 }), "`nbf` is in the future"],
    ["whose nbf is far ahead", () => signed({ ...CLAIMS, nbf: NOW + 600 }), "Key game.k1: ERR_JWT_CLAIM"],
    ["whose nbf is a text", () => signed({ ...CLAIMS, nbf: "0" }), "Key game.k1: ERR_JWT_CLAIM"],
    ["whose iat is more than 5 s ahead", () => signed({ ...CLAIMS, iat: NOW + 6 }), "`iat` is in the future"],
    ["without sub", () => signed({ ...CLAIMS, sub: undefined }), "`sub` must be there"],
    ...[null, 7, ["a"], "", "x".repeat(129), "🎮".repeat(129)].map((sub): [string, () => string, string] => [
      `whose sub is ${JSON.stringify(sub).slice(0, 20)}`,
      () => signed({ ...CLAIMS, sub }),
      "`sub` must be there",
    ]),
    ...["a\u0000", "a\nb", "\u007f", "\u0085", "a\ud800"].map((sub): [string, () => string, string] => [
      `whose sub is ${JSON.stringify(sub)}`,
      () => signed({ ...CLAIMS, sub }),
      "`sub` holds a control character",
    ]),
    ...[null, "room/*", 1, true, ["room/*"]].map((cap): [string, () => string, string] => [
      `whose cap is ${JSON.stringify(cap)}`,
      () => withCap(cap),
      "`cap` must be an object",
    ]),
    ...[
      "subscribe",
      null,
      {},
      { 0: "subscribe", length: 1 },
      [["subscribe"]],
      ["Subscribe"],
      ["admin"],
      ["*"],
      ["subscribe", "read"],
      ["toString"],
      [null],
    ].map((list): [string, () => string, string] => [
      `whose cap grants ${JSON.stringify(list)}`,
      () => withCap({ room: list }),
      "`cap` must map each pattern to a list of",
    ]),
    [
      "whose cap has one bad pattern of two",
      () => withCap({ room: ["publish"], "a*": ["publish"] }),
      "`cap` may hold `*` only",
    ],
    ...[
      "",
      "/",
      "room/",
      "/room",
      "room//x",
      "room/../x",
      "./x",
      "**",
      "room/**",
      "room*",
      "*/x",
      "$sys/*",
      "a b",
      "room/*/x",
      "cafe\u0301",
      "room/messages",
      "x".repeat(201),
    ].map((pattern): [string, () => string, string] => [
      `whose cap has the pattern ${JSON.stringify(pattern).slice(0, 20)}`,
      () => withCap({ [pattern]: ["publish"] }),
      "`cap` ",
    ]),
    [
      "whose cap makes a prototype",
      () => signed(`{"sub":"alice","exp":${NOW + 60},"cap":{"__proto__":{"room":["publish"]}}}`),
      "`cap` must map",
    ],
    ["whose cap has 101 patterns", () => withCap(patterns(101)), "more than 100 patterns"],
  ];
  it.each(rows)("%s", async (_, token, reason) => {
    await expectRefusal(token(), reason);
  });

  it("whose cap would be too large for API Gateway, with what its key may do", async () => {
    const grants = Object.keys(patterns(45, 100)).map((topics) => ({
      topics: aPattern(topics),
      rights: ["publish"] as const,
    }));
    const key = await doors.addKey("game", "k2", { grants });
    const tokenOf = (count: number) =>
      hmacToken(signingKeyOfKey(key), { ...HEADER, kid: "game.k2" }, { ...CLAIMS, cap: patterns(count, 20) });
    expect(JSON.stringify(grants).length).toBeLessThan(MAX_ACCESS_BYTES);
    expect(await doors.check(tokenOf(1))).toMatchObject({ ok: true });
    await expectRefusal(tokenOf(20), "too large");
  });

  it("whose key was removed, as soon as that is known", async () => {
    expect(await doors.check(signed())).toMatchObject({ ok: true });
    await doors.apps.removeKey("game", "k1");
    await doors.clock.advance(CACHE_MS);
    await expectRefusal(signed(), NO_KEY);
  });

  it("whose key has expired", async () => {
    const key = await doors.addKey("game", "k2", { expiresAt: TEST_START + 1 });
    const token = hmacToken(signingKeyOfKey(key), { ...HEADER, kid: "game.k2" }, CLAIMS);
    // It may come in, and stay: a key's end takes nobody out.
    expect(await doors.check(token)).toMatchObject({ ok: true, value: { expiresAt: (NOW + 60) * 1_000 } });
    await doors.clock.advance(1);
    await expectRefusal(token, NO_KEY);
  });

  it("whose application has come to its end; until then it ends with it", async () => {
    await doors.createApplication("jam", { expiresAt: TEST_START + 10_000 });
    const key = signingKeyOfKey(await doors.addKey("jam", "k1"));
    const token = hmacToken(key, { ...HEADER, kid: "jam.k1" }, CLAIMS);
    expect(await doors.check(token)).toMatchObject({ ok: true, value: { expiresAt: TEST_START + 10_000 } });
    await doors.clock.advance(10_000);
    await expectRefusal(token, NO_KEY);
  });

  it("of an application that was made anew with other keys", async () => {
    await doors.apps.remove("game");
    await doors.createApplication("game");
    await doors.addKey("game", "k1");
    await expectRefusal(signed(), BAD_SIGNATURE);
  });

  it("whose signing key nobody can decrypt", async () => {
    const key = signingKeyOfKey(
      await doors.addKey("game", "k2", { encryptionKey: "another encryption key of 32 letters" }),
    );
    const token = hmacToken(key, { ...HEADER, kid: "game.k2" }, CLAIMS);
    await expectRefusal(token, "Its signing key was encrypted with another encryption key.");
  });
});

function swapPayload(token: string): string {
  const [header, , signature] = token.split(".");
  return [header, part({ ...CLAIMS, sub: "bob" }), signature].join(".");
}

/** RFC 7797: signed over the payload as it is. */
function unencoded(): string {
  return signed(CLAIMS, { ...HEADER, b64: false, crit: ["b64"] });
}

describe("a token is taken", () => {
  it.each([
    [
      "that names other keys, which are ignored",
      {},
      { ...HEADER, jwk, jku: "http://127.0.0.1:1/", x5u: "http://127.0.0.1:1/", x5c: ["x"] },
    ],
    ["whose header says nothing critical", {}, { ...HEADER, typ: "JWT", b64: true, cty: "x" }],
    ["whose nbf and iat are 5 s ahead", { nbf: NOW + 5, iat: NOW + 5 }, HEADER],
    ["whose exp is in a ms", { exp: NOW + 0.001 }, HEADER],
    ["whose sub has 128 characters", { sub: "🎮".repeat(128) }, HEADER],
    ["with claims that mean nothing here", { aud: "somebody", iss: "anybody", __proto__x: 1 }, HEADER],
  ])("%s", async (_, claims, header) => {
    const { sub, exp } = { ...CLAIMS, ...claims };
    const token = signed({ ...CLAIMS, ...claims }, header);
    const caller = { app: "game~g1", user: sub, expiresAt: Math.floor(exp * 1_000) };
    expect(await doors.check(token)).toMatchObject({ ok: true, value: caller });
    expect(doors.logged).toEqual([]);
  });

  const capOf = async (token: string) => {
    const caller = await doors.check(token);
    return caller.ok ? caller.value.access[0] : undefined;
  };

  it("without a cap: it may do nothing", async () => {
    expect(await capOf(signed({ ...CLAIMS, cap: undefined }))).toEqual([]);
    expect(await capOf(withCap({}))).toEqual([]);
    expect(await capOf(withCap({ room: [] }))).toEqual([{ topics: "room", rights: [] }]);
  });

  it("with 100 patterns", async () => {
    expect(await capOf(withCap(patterns(100)))).toHaveLength(100);
  });

  it("with patterns that are called like what every object has: topics like others", async () => {
    const cap = '{"__proto__":["publish","publish"],"constructor":["subscribe"]}';
    expect(await capOf(signed(`{"sub":"alice","exp":${NOW + 60},"cap":${cap}}`))).toEqual([
      { topics: "__proto__", rights: ["publish"] },
      { topics: "constructor", rights: ["subscribe"] },
    ]);
  });

  it("that this package minted", async () => {
    const key = await doors.addKey("game", "k2");
    const { cap } = CLAIMS;
    const token = await mintToken({ key, sub: "bob", cap, lifetimeMs: 60_000, clock: doors.clock });
    const grants = [{ topics: "room/*", rights: ["subscribe", "publish"] }];
    const all = [{ topics: "*", rights: ["subscribe", "publish", "history", "presence", "admin"] }];
    expect(await doors.check(token.ok ? token.value : "")).toEqual({
      ok: true,
      value: { app: "game~g1", user: "bob", expiresAt: TEST_START + 60_000, access: [grants, all] },
    });
  });
});

describe("mintToken", () => {
  const key = `game.k1:${"s".repeat(43)}`;
  it.each([
    [{ key: "game.k1", sub: "a" }, "The key must read {app}.{keyId}:{secret}."],
    [{ key, sub: "" }, "`sub` must be there: a string of 1 to 128 characters."],
    [{ key, sub: "a", cap: { "a*": ["publish"] } }, "`cap` may hold `*` only as its last segment, as in room/*."],
    [
      { key, sub: "a", cap: { a: ["admin"] } },
      "`cap` must map each pattern to a list of: subscribe, publish, history, presence.",
    ],
    [{ key, sub: "a", lifetimeMs: 0 }, "`exp` has passed."],
  ])("refuses %j", async (request, message) => {
    const fault = { code: "bad_request", message };
    expect(await mintToken({ lifetimeMs: 60_000, clock: doors.clock, ...request })).toEqual({ ok: false, fault });
  });
});

it("says that it can't tell where applications can't be read", async () => {
  const broken = await tokenCase({ others: [() => Promise.reject(new UnavailableError("key source", "no answer"))] });
  await expect(broken.check("token")).rejects.toThrow(UnavailableError);
  expect(broken.logged).toEqual([]);
});
