import {
  ApiGatewayManagementApiClient,
  type ApiGatewayManagementApiClientConfig,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { Sha256Node } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import { type ConnectionId as CoreConnectionId, systemClock } from "@topicast/core";
import { createGatewayClient } from "../../core/src/drivers/aws-clients.ts";
import { createApiGateway } from "../../core/src/drivers/connection-gateway/api-gateway.ts";
import type { Credentials } from "../src/index.ts";
import { type FixtureHost, startFixtures } from "./fixture-host.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { connectClient, type WebSocketClient } from "./web-socket-client.ts";

const MINUTE_MS = 60_000;
const INVALID_TOKEN = "The security token included in the request is invalid.";
const MISMATCH = /^The request signature we calculated does not match the signature you provided\./;

let host: FixtureHost;
let recorder: Recorder;
let credentials: Credentials;
let client: WebSocketClient;
let ConnectionId: string;

beforeAll(async () => {
  recorder = createRecorder();
  host = await startFixtures(["echo", "applications"], { auth: true, ports: recorder.wrapPorts });
  credentials = host.credentials as Credentials;
});

beforeEach(async () => {
  client = await connectClient(host.webSocketUrl("echo"));
  ConnectionId = (await recorder.next()).requestContext.connectionId;
});

afterAll(() => host.close());

function createSdk(config: ApiGatewayManagementApiClientConfig = {}): ApiGatewayManagementApiClient {
  const endpoint = `${host.url}/echo`;
  return new ApiGatewayManagementApiClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1, ...config });
}

interface Signing {
  readonly method?: string;
  readonly query?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly as?: Partial<Credentials>;
  readonly region?: string;
  readonly service?: string;
  readonly at?: number;
  readonly applyChecksum?: boolean;
}

/** Signs a post to the connection, and says what then goes out: all of it may be changed. */
async function sign({ region = "us-east-1", service = "execute-api", at = Date.now(), ...signing }: Signing = {}) {
  const { method = "POST", query = "", body = "hi", headers, as, applyChecksum = true } = signing;
  const path = `/echo/@connections/${encodeURIComponent(ConnectionId)}`;
  const own = { ...credentials, ...as };
  const signer = new SignatureV4({ credentials: own, region, service, sha256: Sha256Node, applyChecksum });
  const request = {
    method,
    protocol: "http:",
    hostname: "127.0.0.1",
    path,
    query: Object.fromEntries(new URLSearchParams(query)),
    headers: { host: `127.0.0.1:${host.port}`, ...headers },
    body,
  };
  const signed = await signer.sign(request, { signingDate: new Date(at) });
  return { method, path, query, body, headers: signed.headers };
}

type Signed = Awaited<ReturnType<typeof sign>>;

async function send({ method, path, query, body, headers: { host: _, ...headers } }: Signed) {
  const url = `${host.url}${path}${query && `?${query}`}`;
  const response = await fetch(url, { method, headers, ...(method === "POST" && { body }) });
  const { message } = JSON.parse((await response.text()) || "{}") as { message?: string };
  return { status: response.status, errorType: response.headers.get("x-amzn-errortype"), message };
}

describe("with closed doors", () => {
  it("the real SDK posts, looks and deletes with the host's credentials", async () => {
    const sdk = createSdk();
    await sdk.send(new PostToConnectionCommand({ ConnectionId, Data: "héllo" }));
    expect(await client.next()).toBe("héllo");
    expect((await sdk.send(new GetConnectionCommand({ ConnectionId }))).Identity?.SourceIp).toBe("127.0.0.1");
    await sdk.send(new DeleteConnectionCommand({ ConnectionId }));
    expect((await client.closed).code).toBe(1000);
    await recorder.next();
    await expect(sdk.send(new GetConnectionCommand({ ConnectionId }))).rejects.toMatchObject({ name: "GoneException" });
    sdk.destroy();
  });

  it("the services' own posts are taken with the host's credentials, and with no others", async () => {
    const target = { id: ConnectionId as CoreConnectionId, address: "", connectedAt: Date.now() };
    const other = { accessKeyId: credentials.accessKeyId, secretAccessKey: "another" };
    for (const [signing, failed] of [
      [credentials, []],
      [other, [target]],
    ] as const) {
      const sdk = createGatewayClient({
        endpoint: `${host.url}/echo`,
        concurrency: 1,
        region: "us-east-1",
        credentials: signing,
      });
      const logger = { warn: () => {}, error: () => {} };
      const gateway = createApiGateway({ client: sdk, logger, clock: systemClock, concurrency: 1, timeoutMs: 3_000 });
      expect(await gateway.post([target], "héllo")).toEqual({ gone: [], throttled: [], failed });
      sdk.destroy();
    }
    expect(await client.next()).toBe("héllo");
  });

  it.each<[string, ApiGatewayManagementApiClientConfig, string]>([
    ["another region", { region: "eu-central-1" }, "InvalidSignatureException"],
    ["credentials of its own", { credentials: { accessKeyId: "any", secretAccessKey: "any" } }, "UnrecognizedClient"],
  ])("the real SDK is refused with %s", async (_what, config, name) => {
    const sdk = createSdk(config);
    const posting = sdk.send(new PostToConnectionCommand({ ConnectionId, Data: "hi" }));
    await expect(posting).rejects.toMatchObject({
      name: expect.stringContaining(name),
      $metadata: expect.objectContaining({ httpStatusCode: 403 }),
    });
    sdk.destroy();
  });

  it.each<[string, Signing]>([
    ["with the hash of the body in a header", {}],
    ["without it, as curl --aws-sigv4 does", { applyChecksum: false }],
    ["with headers that hold spaces", { headers: { "x-spaced": "  a   b " } }],
    ["with a query", { query: "b=2&a=%20" }],
    ["four minutes late", { at: Date.now() - 4 * MINUTE_MS }],
  ])("takes what is signed %s", async (_what, signing) => {
    expect(await send(await sign(signing))).toMatchObject({ status: 200 });
    expect(await client.next()).toBe("hi");
  });

  it.each<[string, (signed: Signed) => Signed]>([
    ["body", (signed) => ({ ...signed, body: "ho" })],
    ["method", (signed) => ({ ...signed, method: "DELETE" })],
    ["path", (signed) => ({ ...signed, path: "/echo/@connections/AAAAAAAAAAAAAAA=" })],
    ["query", (signed) => ({ ...signed, query: "a=1" })],
    ["header", (signed) => ({ ...signed, headers: { ...signed.headers, "x-mine": "2" } })],
    ["hash of the body", (signed) => withHeader(signed, "x-amz-content-sha256", "0".repeat(64))],
    ["signature", (signed) => withHeader(signed, "authorization", `${signed.headers.authorization}0`)],
    ["list of headers", (signed) => replaceIn(signed, ";x-mine", "")],
  ])("refuses a %s that was changed on its way", async (_what, change) => {
    const signed = await sign({ headers: { "x-mine": "1" } });
    const refused = await send(change(signed));
    expect(refused).toEqual({
      status: 403,
      errorType: "InvalidSignatureException",
      message: expect.stringMatching(MISMATCH),
    });
  });

  it.each<[string, Signing, string, string | RegExp]>([
    ["another secret", { as: { secretAccessKey: "other" } }, "InvalidSignatureException", MISMATCH],
    ["another token", { as: { sessionToken: "other" } }, "UnrecognizedClientException", INVALID_TOKEN],
    ["another id", { as: { accessKeyId: "ASIA0" } }, "UnrecognizedClientException", INVALID_TOKEN],
    ["another region", { region: "eu-central-1" }, "InvalidSignatureException", /a valid region\.$/],
    ["another service", { service: "s3" }, "InvalidSignatureException", /correct service: 'execute-api'\.$/],
    ["a date long past", { at: Date.now() - 6 * MINUTE_MS }, "InvalidSignatureException", /^Signature expired: \d{8}T/],
    ["a date to come", { at: Date.now() + 6 * MINUTE_MS }, "InvalidSignatureException", /^Signature not yet current: /],
    [
      "an unsigned payload",
      { headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } },
      "InvalidSignatureException",
      MISMATCH,
    ],
  ])("refuses what is signed with %s", async (_what, signing, errorType, message) => {
    const refused = await send(await sign(signing));
    expect(refused).toEqual({ status: 403, errorType, message: expect.stringMatching(message) });
  });

  it.each<[string, Record<string, string>, string, string]>([
    ["no signature", {}, "MissingAuthenticationTokenException", "Missing Authentication Token"],
    [
      "a key",
      { authorization: "Bearer default.k1:secret" },
      "IncompleteSignatureException",
      "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter.",
    ],
    [
      "half a signature",
      { authorization: "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/execute-api/aws4_request, Signature=0" },
      "IncompleteSignatureException",
      "Authorization header requires 'SignedHeaders' parameter.",
    ],
    [
      "no date",
      { authorization: "AWS4-HMAC-SHA256 Credential=a, Signature=0, SignedHeaders=host" },
      "IncompleteSignatureException",
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    ],
  ])("refuses whatever is asked with %s", async (_what, headers, errorType, message) => {
    const refusal = { status: 403, errorType, message };
    for (const method of ["POST", "GET", "DELETE"]) {
      expect(await send({ ...(await sign()), method, headers })).toEqual(refusal);
      // Nor is it told whether there is such a connection.
      const path = "/echo/@connections/nonsense";
      expect(await send({ ...(await sign()), method, path, headers })).toEqual(refusal);
    }
  });

  it("refuses a signature that doesn't cover the host or the day", async () => {
    expect(await send(replaceIn(await sign(), "host;", ""))).toMatchObject({
      status: 403,
      message: expect.stringContaining("'Host'"),
    });
    const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    const refused = await send(replaceIn(await sign(), today, "20260101"));
    expect(refused).toMatchObject({ status: 403, errorType: "InvalidSignatureException" });
  });

  it("refuses a message that is too large with 413", async () => {
    expect(await send(await sign({ body: "x".repeat(131_073) }))).toMatchObject({ status: 413 });
  });

  it("has nothing of it in the log", () => {
    expect(host.lines).toEqual([]);
  });
});

function withHeader(signed: Signed, name: string, value: string): Signed {
  return { ...signed, headers: { ...signed.headers, [name]: value } };
}

/** Changes the header that the signature is in. */
function replaceIn(signed: Signed, find: string, replace: string): Signed {
  return withHeader(signed, "authorization", signed.headers.authorization?.replace(find, replace) ?? "");
}
