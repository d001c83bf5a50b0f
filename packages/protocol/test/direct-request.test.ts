import { describe, expect, it } from "@jest/globals";
import {
  type Json,
  MAX_HTTP_BODY_BYTES,
  MAX_HTTP_PAYLOAD_BYTES,
  MAX_SUBSCRIBERS_LIMIT,
  MAX_USER_LENGTH,
  parseHttpDirect,
  parsePageQuery,
  parseUser,
} from "../src/index.ts";

const refused = (code: string, message: string, limit?: number) => ({
  ok: false,
  fault: { code, message: expect.stringContaining(message), ...(limit !== undefined && { limit }) },
});

describe("parseHttpDirect", () => {
  it.each<[Record<string, Json>, object]>([
    [{ payload: { done: true } }, { payload: { done: true } }],
    [{ payload: null }, { payload: null }],
    [
      { payload: 1, from: "jobs", time: 5, type: "closing" },
      { payload: 1, from: "jobs" },
    ],
  ])("takes %j", (fields, value) => {
    expect(parseHttpDirect(JSON.stringify(fields))).toStrictEqual({ ok: true, value });
  });

  it("leaves alone what a payload names __proto__", () => {
    const parsed = parseHttpDirect('{"payload":{"__proto__":{"admin":true}}}');
    expect(JSON.stringify(parsed)).toContain('"payload":{"__proto__":{"admin":true}}');
    expect(parseHttpDirect('{"__proto__":{"payload":1}}')).toStrictEqual(
      refused("bad_request", "`payload` is missing."),
    );
  });

  it.each([
    ["", "This is not JSON."],
    ["[1]", "The body must be a JSON object."],
    ["{}", "`payload` is missing."],
    ['{"payload":1,"from":""}', "`from` must be a string of 1 to 64 characters."],
    ['{"payload":1,"from":7}', "`from` must be a string of 1 to 64 characters."],
  ])("refuses %s", (body, message) => {
    expect(parseHttpDirect(body)).toStrictEqual(refused("bad_request", message));
  });

  it("takes the largest payload and refuses a larger one, and a body before it is parsed", () => {
    const bodyOf = (length: number) => JSON.stringify({ payload: "x".repeat(length - 2) });
    expect(parseHttpDirect(bodyOf(MAX_HTTP_PAYLOAD_BYTES))).toMatchObject({ ok: true });
    expect(parseHttpDirect(bodyOf(MAX_HTTP_PAYLOAD_BYTES + 1))).toStrictEqual(
      refused("payload_too_large", `${MAX_HTTP_PAYLOAD_BYTES + 1} bytes`, MAX_HTTP_PAYLOAD_BYTES),
    );
    expect(parseHttpDirect("{".repeat(MAX_HTTP_BODY_BYTES + 1))).toStrictEqual(
      refused("payload_too_large", "This body", MAX_HTTP_BODY_BYTES),
    );
  });
});

describe("parseUser", () => {
  it.each(["a", "auth0|alice", "a/b/", " ", "Ünï\n", "😀".repeat(MAX_USER_LENGTH)])("takes %j", (name) => {
    expect(parseUser(name)).toStrictEqual({ ok: true, value: name });
  });

  it.each(["", "x".repeat(MAX_USER_LENGTH + 1), "😀".repeat(MAX_USER_LENGTH + 1)])("refuses %j", (name) => {
    expect(parseUser(name)).toStrictEqual(refused("bad_request", `1 to ${MAX_USER_LENGTH} characters`));
  });
});

describe("parsePageQuery", () => {
  it.each([
    [{}, { limit: MAX_SUBSCRIBERS_LIMIT }],
    [{ limit: "1", other: "x" }, { limit: 1 }],
    [
      { limit: "7", cursor: "any" },
      { limit: 7, cursor: "any" },
    ],
  ])("takes %j", (query, value) => {
    expect(parsePageQuery(query)).toStrictEqual({ ok: true, value });
  });

  it.each(["0", String(MAX_SUBSCRIBERS_LIMIT + 1), "-1", "1.5", "", "x", "1e2"])("refuses a limit of %j", (limit) => {
    expect(parsePageQuery({ limit })).toStrictEqual(refused("bad_request", "`limit` must be a whole number from 1 to"));
  });
});
