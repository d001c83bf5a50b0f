import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type TestClock, testClock } from "@topicast/testing";
import type { WebSocketAuthorizerEvent } from "../src/web-socket-events.ts";
import { errorFrame } from "./echo-host.ts";
import { type FixtureHost, startFixtures } from "./fixture-host.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { connectClient, connectRefused } from "./web-socket-client.ts";

let host: FixtureHost;
let recorder: Recorder;
let clock: TestClock;
let url: string;

beforeEach(async () => {
  recorder = createRecorder();
  clock = testClock();
  host = await startFixtures(["authorizer", "identity"], { clock, ports: recorder.wrapPorts });
  url = host.webSocketUrl("authorizer");
});

afterEach(() => host.close());

async function nextAsk(): Promise<WebSocketAuthorizerEvent> {
  return (await recorder.next()) as WebSocketAuthorizerEvent;
}

describe("an authorizer", () => {
  it("gets the event of $connect, and what it is to decide about", async () => {
    await connectClient(`${url}?a=1`, { headers: { "X-Custom": "1" } });
    const asked = await nextAsk();
    const { type, methodArn, ...rest } = asked;
    const { apiId } = asked.requestContext;
    expect([type, methodArn]).toEqual([
      "REQUEST",
      `arn:aws:execute-api:us-east-1:000000000000:${apiId}/authorizer/$connect`,
    ]);
    const connected = await recorder.next();
    expect(rest.headers).toMatchObject({ "X-Custom": "1" });
    expect(rest.queryStringParameters).toEqual({ a: "1" });
    expect(rest.requestContext).toMatchObject({ routeKey: "$connect", eventType: "CONNECT" });
    expect(rest.requestContext.authorizer).toBeUndefined();
    expect(rest.requestContext.connectionId).toBe(connected.requestContext.connectionId);
  });

  it("speaks to all later events, in text, and nobody overrules its principal", async () => {
    const client = await connectClient(url);
    await nextAsk();
    const connected = await recorder.next();
    client.send("hi");
    const sent = await recorder.next();
    client.socket.close();
    const disconnected = await recorder.next();
    const events = [connected, sent, disconnected].map(({ requestContext }) => requestContext);
    expect(events.map(({ eventType }) => eventType)).toEqual(["CONNECT", "MESSAGE", "DISCONNECT"]);
    const authorizer = { principalId: "alice", app: "default", count: "1", flag: "true" };
    expect(events.map((context) => context.authorizer)).toEqual([authorizer, authorizer, authorizer]);
  });

  it.each([
    ["deny", 403, "Forbidden"],
    ["unauthorized", 401, "Unauthorized"],
    ["other", 500, "Internal server error"],
    ["nothing", 500, "Internal server error"],
    ["anonymous", 500, "Internal server error"],
    ["policyless", 500, "Internal server error"],
    ["nested", 500, "Internal server error"],
  ])("refuses ahead of $connect: %s gives %i", async (ask, status, message) => {
    const refused = await connectRefused(`${url}?ask=${ask}`);
    expect(refused).toEqual({ status, body: expect.stringMatching(errorFrame(message)) });
    expect(recorder.count).toBe(1);
  });

  it("refuses with 500 where it outlasts 29 s", async () => {
    const refused = connectRefused(`${url}?ask=stuck`);
    await nextAsk();
    await clock.advance(29_000);
    expect((await refused).status).toBe(500);
    expect(recorder.count).toBe(1);
  });

  it("refuses clients without a line in the log, and fails with one", async () => {
    for (const ask of ["unauthorized", "deny"]) await connectRefused(`${url}?ask=${ask}`);
    expect(host.lines).toEqual([]);
    await connectRefused(`${url}?ask=nothing`);
    expect(host.lines).toEqual(["authorizer: the authorizer returned no valid policy"]);
    await connectRefused(`${url}?ask=other`);
    expect(host.lines[1]).toMatch(/^authorizer\/authorize: Error: no such table\n/);
  });

  it("leaves the last word to $connect", async () => {
    expect(await connectRefused(`${url}?ask=full`)).toEqual({ status: 503, body: "full" });
    expect(recorder.count).toBe(2);
  });
});

describe("identity sources", () => {
  const headers = { auth: "x" };

  it("must all be there, or nobody is asked", async () => {
    const path = host.webSocketUrl("identity");
    for (const [query, sent] of [
      ["", headers],
      ["?ask=", headers],
      ["?ask=allow", {}],
    ] as const) {
      const refused = await connectRefused(`${path}${query}`, { headers: sent });
      expect(refused).toEqual({ status: 401, body: expect.stringMatching(errorFrame("Unauthorized")) });
    }
    expect(recorder.count).toBe(0);
  });

  it("are found whatever the casing of a header", async () => {
    await connectClient(`${host.webSocketUrl("identity")}?ask=allow`, { headers });
    expect((await nextAsk()).type).toBe("REQUEST");
  });
});
