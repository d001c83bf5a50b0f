import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { UnavailableError } from "@topicast/core";
import { type HttpAnswers, jsonAnswer, startHttpAnswers, TEST_START } from "@topicast/testing";
import type { JwksConfig } from "../src/doors.ts";
import { createJwks } from "../src/drivers/token-authority/jwks.ts";
import { hmacToken, part, signingKeyOfKey, tokenCase } from "./token-case.ts";

// RSA keys, on a machine that may do much else.
jest.setTimeout(60_000);
/** Longer than any answer takes that comes. */
const PATIENT_MS = 20_000;

const WRONG = { ok: false, fault: { code: "unauthorized", message: "This token is not valid." } };
const NOW = TEST_START / 1_000;
const CLAIMS = {
  sub: "alice",
  cap: { "room/*": ["subscribe"] },
  exp: NOW + 60,
  iss: "https://id.example",
  aud: "games",
};

type Algorithm = JwksConfig["algorithm"];
const rsa = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const KEYS = {
  RS256: rsa(),
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: generateKeyPairSync("ed25519"),
};
const ALGORITHMS = Object.keys(KEYS) as Algorithm[];

function tokenOf(alg: Algorithm, claims: object = CLAIMS, header: object = {}, key: KeyObject = KEYS[alg].privateKey) {
  const text = `${part({ alg, kid: alg, ...header })}.${part(claims)}`;
  const hash = alg === "EdDSA" ? null : "sha256";
  return `${text}.${sign(hash, Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

const jwkOf = (key: KeyObject, kid: string) => ({ ...key.export({ format: "jwk" }), kid });
const SET = { keys: ALGORITHMS.map((alg) => jwkOf(KEYS[alg].publicKey, alg)) };

let server: HttpAnswers;
beforeEach(async () => {
  server = await startHttpAnswers();
  server.answer(jsonAnswer(SET));
});
afterEach(() => server.close());

/** Doors that take tokens of applications' keys and of the set of keys. */
async function doorsWith(algorithm: Algorithm, more: Partial<Parameters<typeof createJwks>[0]> = {}) {
  const clock = { now: () => TEST_START };
  const doors = await tokenCase({
    others: [createJwks({ url: server.url, algorithm, clock, timeoutMs: PATIENT_MS, ...more })],
  });
  await doors.createApplication("default");
  return doors;
}

describe.each(ALGORITHMS)("a set of keys for %s", (alg) => {
  it("vouches for tokens of the application default", async () => {
    const { check } = await doorsWith(alg);
    const access = [[{ topics: "room/*", rights: ["subscribe"] }]];
    const value = { app: "default~g1", user: "alice", expiresAt: (NOW + 60) * 1_000, access };
    expect(await check(tokenOf(alg))).toEqual({ ok: true, value });
  });

  it("refuses the other algorithms, also where the set has their keys", async () => {
    const { check } = await doorsWith(alg);
    for (const other of ALGORITHMS) {
      expect(await check(tokenOf(other))).toMatchObject({ ok: other === alg });
      expect(await check(tokenOf(alg, CLAIMS, { alg: other }))).toMatchObject({ ok: other === alg });
    }
  });

  it("refuses another key's tokens, under each name", async () => {
    const { check, logged } = await doorsWith(alg);
    const { privateKey } = {
      RS256: rsa(),
      ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
      EdDSA: generateKeyPairSync("ed25519"),
    }[alg];
    expect(await check(tokenOf(alg, CLAIMS, {}, privateKey))).toEqual(WRONG);
    expect(await check(tokenOf(alg, CLAIMS, { kid: "unknown" }, privateKey))).toEqual(WRONG);
    expect(logged).toEqual([
      expect.stringContaining("ERR_JWS_SIGNATURE_VERIFICATION_FAILED"),
      expect.stringContaining("ERR_JWKS_NO_MATCHING_KEY"),
    ]);
  });

  it("signs nothing by itself: its public keys are no HMAC secrets", async () => {
    const { check, addKey } = await doorsWith(alg);
    await addKey("default", "k1");
    const { publicKey } = KEYS[alg];
    const pem = publicKey.export({ format: "pem", type: "spki" }) as string;
    const der = publicKey.export({ format: "der", type: "spki" }).toString("latin1");
    const jwk = jwkOf(publicKey, alg);
    const secrets = [
      pem,
      pem.trim(),
      der,
      JSON.stringify(jwk),
      JSON.stringify(SET),
      JSON.stringify(publicKey.export({ format: "jwk" })),
      jwk.n ?? "",
      jwk.x ?? "",
    ];
    for (const secret of secrets) {
      for (const kid of [alg, "default.k1", undefined]) {
        for (const header of [
          { alg: "HS256", kid },
          { alg, kid },
        ]) {
          expect(await check(hmacToken(secret, header, CLAIMS))).toEqual(WRONG);
        }
      }
    }
  });

  it("refuses tokens without a signature, and claims that aren't right", async () => {
    const { check } = await doorsWith(alg);
    const none = ["none", "None", "nOnE", alg].map((name) => `${part({ alg: name, kid: alg })}.${part(CLAIMS)}.`);
    const { sub, ...nobody } = CLAIMS;
    const claims = [
      { ...CLAIMS, exp: NOW },
      { ...CLAIMS, exp: undefined },
      { ...CLAIMS, nbf: NOW + 6 },
      { ...CLAIMS, cap: [] },
      nobody,
    ];
    const wrong = [
      ...none,
      ...claims.map((changed) => tokenOf(alg, changed)),
      `${tokenOf(alg)}.`,
      `${tokenOf(alg)}.x.y`,
    ];
    for (const token of [...wrong, tokenOf(alg, CLAIMS, { crit: ["x"], x: sub })])
      expect(await check(token)).toEqual(WRONG);
  });
});

it("fetches keys from nowhere else, whatever a token's header says", async () => {
  const elsewhere = await startHttpAnswers();
  const attacker = rsa();
  elsewhere.answer(jsonAnswer({ keys: [jwkOf(attacker.publicKey, "evil")] }));
  const { url } = elsewhere;
  const { check } = await doorsWith("RS256");
  const header = { kid: "evil", jku: url, x5u: url, jwk: jwkOf(attacker.publicKey, "evil") };
  expect(await check(tokenOf("RS256", CLAIMS, header, attacker.privateKey))).toEqual(WRONG);
  expect(await check(tokenOf("RS256", CLAIMS, { ...header, kid: "RS256" }, attacker.privateKey))).toEqual(WRONG);
  expect(await check(tokenOf("RS256", CLAIMS, { ...header, kid: "RS256" }))).toMatchObject({ ok: true });
  expect(elsewhere.asked).toEqual([]);
  await elsewhere.close();
});

it("checks the issuer and the audience where they are configured", async () => {
  const { check } = await doorsWith("ES256", { issuer: CLAIMS.iss, audience: CLAIMS.aud });
  expect(await check(tokenOf("ES256"))).toMatchObject({ ok: true });
  expect(await check(tokenOf("ES256", { ...CLAIMS, aud: ["x", "games"] }))).toMatchObject({ ok: true });
  for (const changed of [
    { iss: "https://id.example/" },
    { iss: undefined },
    { aud: "game" },
    { aud: undefined },
    { aud: [] },
  ]) {
    expect(await check(tokenOf("ES256", { ...CLAIMS, ...changed }))).toEqual(WRONG);
  }
});

it("leaves applications' keys what they are", async () => {
  const { check, addKey, createApplication } = await doorsWith("RS256");
  await createApplication("game");
  const signingKey = signingKeyOfKey(await addKey("game", "k1"));
  const header = { alg: "HS256", kid: "game.k1" };
  expect(await check(hmacToken(signingKey, header, CLAIMS))).toMatchObject({ ok: true, value: { app: "game~g1" } });
  // A key's name in front of a signature of the set's is of the set, and of the application default.
  expect(await check(tokenOf("RS256", CLAIMS, { kid: "game.k1" }))).toEqual(WRONG);
  expect(await check(tokenOf("RS256", CLAIMS, { alg: "HS256", kid: "game.k1" }))).toEqual(WRONG);
});

describe("keys that change", () => {
  const old = rsa();
  const fresh = rsa();
  const oldToken = tokenOf("RS256", CLAIMS, { kid: "old" }, old.privateKey);
  const freshToken = tokenOf("RS256", CLAIMS, { kid: "fresh" }, fresh.privateKey);

  it("are fetched when a token names a new one, and then the old one is good no more", async () => {
    server.answer(jsonAnswer({ keys: [jwkOf(old.publicKey, "old")] }));
    const { check } = await doorsWith("RS256", { cooldownMs: 0 });
    expect(await check(oldToken)).toMatchObject({ ok: true });
    server.answer(jsonAnswer({ keys: [jwkOf(fresh.publicKey, "fresh")] }));
    expect(await check(freshToken)).toMatchObject({ ok: true });
    expect(await check(oldToken)).toEqual(WRONG);
  });

  it("are fetched once for all who ask, and for made-up names not at all for a while", async () => {
    server.answer(jsonAnswer({ keys: [jwkOf(old.publicKey, "old")] }));
    const { check } = await doorsWith("RS256");
    await Promise.all(Array.from({ length: 20 }, () => check(oldToken)));
    for (let n = 0; n < 20; n++) expect(await check(tokenOf("RS256", CLAIMS, { kid: `made-up-${n}` }))).toEqual(WRONG);
    expect(server.asked).toHaveLength(1);
  });
});

describe("where the address of the keys", () => {
  const rows: readonly [string, Parameters<HttpAnswers["answer"]>[0]][] = [
    ["answers 500", jsonAnswer(SET, 500)],
    ["answers 404", jsonAnswer(SET, 404)],
    ["answers no JSON", (response) => void response.end("{")],
    ["answers no set", jsonAnswer({ keys: "none" })],
    ["answers without end", jsonAnswer({ ...SET, more: "x".repeat(256 * 1024) })],
    [
      "sends us elsewhere",
      (response, { path }) =>
        path === "/" ? void response.writeHead(302, { location: "/x" }).end() : jsonAnswer(SET)(response),
    ],
  ];
  it.each(rows)("%s, nobody can tell: the client may try again", async (_, answer) => {
    server.answer(answer);
    const { check, logged } = await doorsWith("RS256");
    await expect(check(tokenOf("RS256"))).rejects.toThrow(UnavailableError);
    expect(logged).toEqual([]);
    // What isn't the set's needs no keys to be refused.
    expect(await check(`${part({ alg: "none" })}.${part(CLAIMS)}.`)).toEqual(WRONG);
    server.answer(jsonAnswer(SET));
    expect(await check(tokenOf("RS256"))).toMatchObject({ ok: true });
  });

  it.each<[string, Parameters<HttpAnswers["answer"]>[0]]>([
    ["never answers", () => {}],
    ["stops in the middle", (response) => void response.writeHead(200).write('{"keys":')],
  ])("%s, nobody waits for long", async (_, answer) => {
    server.answer(answer);
    const { check } = await doorsWith("RS256", { timeoutMs: 50 });
    await expect(check(tokenOf("RS256"))).rejects.toThrow(UnavailableError);
  });

  it("gives private keys or none that fit, nobody comes in", async () => {
    const { check } = await doorsWith("RS256");
    server.answer(jsonAnswer({ keys: [] }));
    expect(await check(tokenOf("RS256"))).toEqual(WRONG);
    const symmetric = { kty: "oct", kid: "RS256", k: part("x".repeat(32)) };
    const others = await doorsWith("RS256");
    server.answer(jsonAnswer({ keys: [symmetric] }));
    expect(await others.check(hmacToken("x".repeat(32), { alg: "RS256", kid: "RS256" }, CLAIMS))).toEqual(WRONG);
    expect(await others.check(hmacToken("x".repeat(32), { alg: "HS256", kid: "RS256" }, CLAIMS))).toEqual(WRONG);
  });
});
