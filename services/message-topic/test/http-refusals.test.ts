import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { createHttpClient } from "./http-client.ts";
import { startTopicHost, type TopicHost } from "./topic-host.ts";

// A busy machine takes its time to start a host.
jest.setTimeout(30_000);

let host: TopicHost;
beforeAll(async () => {
  host = await startTopicHost();
});
afterAll(() => host.close());

const call = createHttpClient(() => host.httpUrl);

describe("a request that can't be served", () => {
  const large = { payload: "x".repeat(96 * 1024) };
  it.each<[string, unknown, number, string]>([
    ["POST /users/alice/messages", "not json", 400, "bad_request"],
    ["POST /users/alice/messages", {}, 400, "bad_request"],
    ["POST /users/alice/messages", { payload: 1, from: 1 }, 400, "bad_request"],
    ["POST /users/alice/messages", large, 413, "payload_too_large"],
    [`POST /users/${"x".repeat(129)}/messages`, { payload: 1 }, 400, "bad_request"],
    ["POST /users/alice", { payload: 1 }, 404, "not_found"],
    ["DELETE /users/alice", undefined, 404, "not_found"],
    [`DELETE /users/${"x".repeat(129)}/connections`, undefined, 400, "bad_request"],
    ["POST /connections/AAAAAAAAAAAAAAA=/messages", { payload: 1 }, 404, "not_found"],
    ["POST /connections/no%20id/messages", { payload: 1 }, 404, "not_found"],
    ["POST /connections/AAAAAAAAAAAAAAA=/messages", large, 413, "payload_too_large"],
    ["GET /connections/AAAAAAAAAAAAAAA=", undefined, 404, "not_found"],
    [`DELETE /connections/${"A".repeat(3_000)}`, undefined, 404, "not_found"],
    ["GET /topics/a%20b", undefined, 400, "invalid_topic"],
    ["GET /topics/room/subscribers?limit=101", undefined, 400, "bad_request"],
  ])("%s is refused by a problem document that names the request", async (route, sent, status, code) => {
    const { headers, ...answer } = await call(route, sent);
    const requestId = headers.get("x-request-id");
    expect(answer).toMatchObject({ status, body: { status, code, detail: expect.any(String), requestId } });
    expect(requestId).toEqual(expect.any(String));
    expect(headers.get("content-type")).toBe("application/problem+json");
  });
});
