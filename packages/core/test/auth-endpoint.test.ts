import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { type HttpAnswers, jsonAnswer, startHttpAnswers, TEST_START } from "@topicast/testing";
import { createAuthEndpoint } from "../src/drivers/token-authority/auth-endpoint.ts";
import { createTokenCheck } from "../src/use-cases/check-token.ts";
import { tokenCase } from "./token-case.ts";

jest.setTimeout(60_000);

const WRONG = { ok: false, fault: { code: "unauthorized", message: "This token is not valid." } };
const NOW = TEST_START / 1_000;
const CLAIMS = { sub: "alice", cap: { "room/*": ["subscribe"] }, exp: NOW + 60 };
/** Not a JWT: it is the endpoint's affair. */
const TOKEN = "session-5f2b";

let server: HttpAnswers;
let doors: Awaited<ReturnType<typeof tokenCase>>;
beforeEach(async () => {
  server = await startHttpAnswers();
  doors = await tokenCase();
  await doors.createApplication("default");
});
afterEach(() => server.close());

/** Longer than any answer takes that comes. */
const PATIENT_MS = 20_000;

function checkAt(url: string, timeoutMs = PATIENT_MS) {
  const authority = createAuthEndpoint({ url, timeoutMs });
  const check = createTokenCheck({ ...doors, authorities: [authority] });
  const room = "lobby";
  return check({ token: TOKEN, service: "message-topic", room, origin: "https://a.example", sourceIp: "192.0.2.1" });
}

async function expectRefusal(reason: string, timeoutMs?: number): Promise<void> {
  expect(await checkAt(server.url, timeoutMs)).toEqual(WRONG);
  expect(doors.logged).toEqual([expect.stringContaining(reason)]);
  expect(doors.logged[0]).not.toContain(TOKEN);
}

it("is asked by POST, and who it vouches for comes in as of the application default", async () => {
  server.answer(jsonAnswer({ ...CLAIMS, more: 1 }));
  expect(await checkAt(server.url)).toEqual({
    ok: true,
    value: {
      app: "default~g1",
      user: "alice",
      expiresAt: (NOW + 60) * 1_000,
      access: [[{ topics: "room/*", rights: ["subscribe"] }]],
    },
  });
  const [asked] = server.asked;
  expect(asked).toMatchObject({ method: "POST", headers: { "content-type": "application/json" } });
  expect(JSON.parse(asked?.body ?? "")).toEqual({
    token: TOKEN,
    service: "message-topic",
    room: "lobby",
    origin: "https://a.example",
    sourceIp: "192.0.2.1",
  });
});

it("isn't asked about no token, nor about one that is too long", async () => {
  const check = createTokenCheck({ ...doors, authorities: [createAuthEndpoint({ url: server.url })] });
  const from = { service: "message-topic", sourceIp: "192.0.2.1" };
  expect(await check({ ...from, token: undefined })).toMatchObject({ ok: false });
  expect(await check({ ...from, token: "x".repeat(4_097) })).toEqual(WRONG);
  expect(server.asked).toEqual([]);
});

describe("refuses where it", () => {
  it.each([201, 204, 401, 403, 404, 500, 503])("answers %d", async (status) => {
    server.answer((response) => void response.writeHead(status).end(status === 204 ? "" : JSON.stringify(CLAIMS)));
    await expectRefusal(`answered ${status}`);
  });

  it.each([301, 302, 307, 308])("sends it elsewhere by %d, where the token never goes", async (status) => {
    server.answer((response, { path }) =>
      path === "/" ? void response.writeHead(status, { location: "/elsewhere" }).end() : jsonAnswer(CLAIMS)(response),
    );
    await expectRefusal(`answered ${status}`);
    expect(server.asked).toHaveLength(1);
  });

  it("never answers", async () => {
    server.answer(() => {});
    await expectRefusal("gave no answer in 50 ms", 50);
  });

  it("breaks off in the middle of its answer, or stops there", async () => {
    server.answer((response) => void response.writeHead(200).write('{"sub":'));
    await expectRefusal("gave no answer in 50 ms", 50);
    server.answer((response) => {
      response.writeHead(200).write('{"sub":');
      setImmediate(() => response.destroy());
    });
    expect(await checkAt(server.url)).toEqual(WRONG);
  });

  it("can't be reached", async () => {
    const { url } = server;
    await server.close();
    server = await startHttpAnswers();
    expect(await checkAt(url)).toEqual(WRONG);
    expect(doors.logged).toEqual([expect.stringContaining("ECONNREFUSED")]);
  });

  it("answers more than 64 KB, however it says so", async () => {
    const large = { ...CLAIMS, more: "x".repeat(64 * 1024) };
    server.answer(jsonAnswer(large));
    await expectRefusal("answered more than 65536 bytes");
  });

  it.each([
    ["", "no JSON object"],
    ["{", "no JSON object"],
    ["null", "no JSON object"],
    ["[]", "no JSON object"],
    ['"alice"', "no JSON object"],
    ["true", "no JSON object"],
    ["{}", "`sub` must be there"],
    [JSON.stringify({ ...CLAIMS, sub: 7 }), "`sub` must be there"],
    [JSON.stringify({ ...CLAIMS, exp: undefined }), "`exp` must be there"],
    [JSON.stringify({ ...CLAIMS, exp: "soon" }), "`exp` must be there"],
    [JSON.stringify({ ...CLAIMS, exp: NOW }), "`exp` has passed"],
    [JSON.stringify({ ...CLAIMS, cap: [] }), "`cap` must be an object"],
    [JSON.stringify({ ...CLAIMS, cap: { room: ["admin"] } }), "`cap` must map"],
  ])("answers 200 and %s", async (body, reason) => {
    server.answer((response) => void response.writeHead(200).end(body));
    await expectRefusal(reason);
  });
});

it("refuses where there is no application default", async () => {
  server.answer(jsonAnswer(CLAIMS));
  await doors.apps.remove("default");
  await expectRefusal("It is for the application default, which there isn't.");
});
