import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { TEST_START, type TestClock, testClock } from "@topicast/testing";
import { type FixtureHost, startFixtures } from "./fixture-host.ts";
import { connectRefused } from "./web-socket-client.ts";

let host: FixtureHost;
let clock: TestClock;

beforeEach(async () => {
  clock = testClock();
  host = await startFixtures(["http"], { clock, limits: { maxBodyBytes: 1_000 } });
});

afterEach(() => host.close());

function call(path: string, options: RequestInit = {}): Promise<Response> {
  return fetch(`${host.url}/http${path}`, options);
}

// biome-ignore lint/suspicious/noExplicitAny: an event as JSON, looked into field by field
async function echo(path: string, options: RequestInit = {}): Promise<any> {
  return (await call(path, options)).json();
}

function answerWith(value: unknown): Promise<Response> {
  return call("/answer", {
    method: "POST",
    body: JSON.stringify(value),
    headers: { "content-type": "application/json" },
  });
}

describe("an event", () => {
  it("has payload format 2.0, to the field", async () => {
    const headers = { "User-Agent": "test/1", Cookie: "a=1; b=2", "X-Custom": "1", "content-type": "text/plain" };
    const event = await echo("/things?a=1&a=2&b=%20", { method: "POST", body: "hi", headers });
    expect(event).toEqual({
      version: "2.0",
      routeKey: "POST /things",
      rawPath: "/things",
      rawQueryString: "a=1&a=2&b=%20",
      cookies: ["a=1", "b=2"],
      headers: expect.objectContaining({
        host: `127.0.0.1:${host.port}`,
        "user-agent": "test/1",
        "x-custom": "1",
        "content-type": "text/plain",
        "content-length": "2",
        "x-amzn-trace-id": expect.stringMatching(/^Root=1-/),
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-port": String(host.port),
        "x-forwarded-proto": "http",
      }),
      queryStringParameters: { a: "1,2", b: " " },
      requestContext: {
        accountId: "000000000000",
        apiId: expect.stringMatching(/^[a-z0-9]{10}$/),
        domainName: `127.0.0.1:${host.port}`,
        domainPrefix: "127",
        http: { method: "POST", path: "/things", protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "test/1" },
        requestId: expect.stringMatching(/^[\w-]{15}=$/),
        routeKey: "POST /things",
        stage: "$default",
        time: "01/Jan/2026:00:00:00 +0000",
        timeEpoch: TEST_START,
      },
      body: "hi",
      isBase64Encoded: false,
    });
    expect(event.headers).not.toHaveProperty("cookie");
    expect(event.headers).not.toHaveProperty("connection");
  });

  it("leaves out what the request doesn't have", async () => {
    const event = await echo("/any");
    for (const field of ["cookies", "queryStringParameters", "pathParameters", "body"])
      expect(event).not.toHaveProperty(field);
    expect(event).toMatchObject({ rawQueryString: "", isBase64Encoded: false });
  });

  it("joins repeated headers with commas", async () => {
    const seen = await new Promise<string>((resolve) => {
      const options = { headers: { "X-Two": ["1", "2"] } };
      request(`${host.url}/http/any`, options, (response) =>
        response.once("data", (data) => resolve(String(data))),
      ).end();
    });
    expect(JSON.parse(seen).headers["x-two"]).toBe("1,2");
  });

  it.each([
    ["application/json", false],
    ["application/problem+json; charset=utf-8", false],
    ["text/csv", false],
    ["application/octet-stream", true],
    ["application/x-www-form-urlencoded", true],
  ])("has a body of %s in base64: %s", async (contentType, isBase64Encoded) => {
    const event = await echo("/things", { method: "POST", body: "a=é", headers: { "content-type": contentType } });
    const body = isBase64Encoded ? Buffer.from("a=é").toString("base64") : "a=é";
    expect(event).toMatchObject({ body, isBase64Encoded });
  });
});

describe("a route", () => {
  it.each([
    ["GET", "/things/special", "GET /things/special", undefined],
    ["GET", "/things/7", "GET /things/{id}", { id: "7" }],
    ["GET", "/things/a%20b", "GET /things/{id}", { id: "a b" }],
    ["GET", "/things/a/b", "GET /things/{rest+}", { rest: "a/b" }],
    ["GET", "/things/a%2Fb", "GET /things/{rest+}", { rest: "a/b" }],
    ["PUT", "/any", "PUT /any", undefined],
    ["PATCH", "/any", "ANY /any", undefined],
    ["OPTIONS", "/things/a/b/c", "OPTIONS /{proxy+}", { proxy: "things/a/b/c" }],
    ["OPTIONS", "/things", "OPTIONS /{proxy+}", { proxy: "things" }],
    ["OPTIONS", "/any", "ANY /any", undefined],
  ])("%s %s is %s", async (method, path, routeKey, pathParameters) => {
    const event = await echo(path, { method });
    expect(event).toMatchObject({ routeKey, rawPath: decodeURIComponent(path) });
    expect(event.pathParameters).toEqual(pathParameters);
  });

  it.each([
    ["GET", "/nothing"],
    ["GET", "/things/"],
    ["DELETE", "/things/7"],
    ["GET", ""],
  ])("takes no %s %s", async (method, path) => {
    const response = await call(path, { method });
    expect([response.status, await response.text()]).toEqual([404, '{"message":"Not Found"}']);
  });

  it("takes no path that can't be decoded", async () => {
    expect((await call("/things/%E0")).status).toBe(400);
  });
});

describe("a response", () => {
  it("has the status, headers, cookies and body that a function returns", async () => {
    const headers = { "X-Custom": "1", "X-Number": 2, "Content-Type": "text/html" };
    const response = await answerWith({ statusCode: 201, headers, cookies: ["a=1", "b=2"], body: "<p>" });
    expect([response.status, await response.text()]).toEqual([201, "<p>"]);
    expect(response.headers.get("x-custom")).toBe("1");
    expect(response.headers.get("x-number")).toBe("2");
    expect(response.headers.get("content-type")).toBe("text/html");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  it("is decoded from base64 where a function says so", async () => {
    const response = await answerWith({
      statusCode: 200,
      body: Buffer.from("é").toString("base64"),
      isBase64Encoded: true,
    });
    expect(await response.text()).toBe("é");
    expect(response.headers.get("content-type")).toBe("text/plain;charset=UTF-8");
  });

  it.each([
    [{ ok: true }, '{"ok":true}'],
    ["text", "text"],
    [null, "null"],
    [[1], "[1]"],
  ])("is a 200 for %j, which has no status", async (value, body) => {
    const response = await answerWith(value);
    expect([response.status, await response.text()]).toEqual([200, body]);
    expect(response.headers.get("content-type")).toBe("application/json");
  });

  it.each([{ statusCode: "many" }, { statusCode: 200, body: {} }])("is a 500 for the malformed %j", async (value) => {
    const response = await answerWith(value);
    expect([response.status, await response.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
  });

  it("is a 500 where the handler throws", async () => {
    expect((await call("/throw")).status).toBe(500);
    expect(host.lines[0]).toMatch(/^http\/throw: Error: no such thing\n/);
  });

  it("is a 503 where the function outlasts 29 s", async () => {
    const response = call("/slow");
    // A later request that is answered shows that the first has arrived.
    await call("/any");
    await clock.advance(29_000);
    expect([(await response).status, await (await response).text()]).toEqual([
      503,
      '{"message":"Service Unavailable"}',
    ]);
  });

  it("is a 413 for a body over the limit", async () => {
    expect((await call("/things", { method: "POST", body: "x".repeat(1_000) })).status).toBe(200);
    expect((await call("/things", { method: "POST", body: "x".repeat(1_001) })).status).toBe(413);
  });
});

describe("what is too large for a gateway", () => {
  const names = ["x-a", "x-b", "x-c", "x-d"];

  it("is a 431 for a request line and headers over 10,240 bytes, whatever of them is long", async () => {
    const tooLarge = [431, '{"message":"Request Header Fields Too Large"}'];
    const headers = Object.fromEntries(names.map((name) => [name, "x".repeat(2_700)]));
    for (const response of [await call("/any", { headers }), await call(`/any?a=${"x".repeat(10_300)}`)]) {
      expect([response.status, await response.text()]).toEqual(tooLarge);
      expect(response.headers.get("content-type")).toBe("application/json");
    }
    expect((await call("/any", { headers: { "x-a": "x".repeat(9_000) } })).status).toBe(200);
  });

  it("is a 431 for a handshake", async () => {
    const refused = await connectRefused(`${host.webSocketUrl("http")}?token=${"x".repeat(10_300)}`);
    expect(refused).toEqual({ status: 431, body: '{"message":"Request Header Fields Too Large"}' });
  });

  it("leaves nothing in the log, and so does what is no HTTP at all", async () => {
    const socket = connect(host.port, "127.0.0.1");
    socket.write("default.k1:secret\r\n\r\n");
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/\{"message":"Bad Request"\}$/);
    expect(host.lines).toEqual([]);
  });
});

describe("the host's root", () => {
  it("lists the addresses", async () => {
    expect(await (await fetch(host.url)).text()).toBe(`Topicast\n${host.url}/http\n`);
  });

  it("answers HEAD as GET, without the text", async () => {
    const [get, head] = await Promise.all([fetch(host.url), fetch(host.url, { method: "HEAD" })]);
    expect(head.status).toBe(200);
    expect(await head.text()).toBe("");
    const length = String((await get.text()).length);
    for (const { headers } of [get, head]) {
      expect(headers.get("content-type")).toBe("text/plain;charset=UTF-8");
      expect(headers.get("content-length")).toBe(length);
    }
  });

  it("knows no other path", async () => {
    expect((await fetch(`${host.url}/nothing/here`)).status).toBe(404);
    expect((await fetch(host.url, { method: "POST" })).status).toBe(404);
  });
});
