import { describe, expect, it } from "@jest/globals";
import { parseConfig } from "@topicast/core";

describe("parseConfig", () => {
  it("has defaults; an empty name counts as not set", () => {
    const posting = { concurrency: 64, timeoutMs: 3_000 };
    const settings = { inlineMax: 16, pageSize: 500, maxAttempts: 6, maxSubscriptions: 100, rules: [] };
    expect(parseConfig({ STORE: "memory", FANOUT_INLINE_MAX: "", PATH: "/bin" })).toEqual({
      backend: { store: "memory" },
      settings,
      posting,
    });
  });

  it("takes what is set", () => {
    const { settings } = parseConfig({ STORE: "memory", FANOUT_INLINE_MAX: "0", SUBSCRIPTIONS_MAX: "1000" });
    expect(settings).toMatchObject({ inlineMax: 0, maxSubscriptions: 1_000 });
  });

  it.each(["-1", "1.5", "many", "1001", "1e2", " 1"])("refuses FANOUT_INLINE_MAX=%j", (value) => {
    expect(() => parseConfig({ STORE: "memory", FANOUT_INLINE_MAX: value })).toThrow(
      "FANOUT_INLINE_MAX must be a whole number from 0 to 1000.",
    );
  });

  it("needs to know where things are on AWS", () => {
    const environment = {
      STORE: "dynamodb",
      TABLE_NAME: "t",
      FANOUT_QUEUE_URL: "https://sqs/q",
      DEAD_LETTER_QUEUE_URL: "https://sqs/d",
      GATEWAY_ENDPOINT: "https://api/prod",
    };
    expect(parseConfig(environment).backend).toEqual({
      store: "dynamodb",
      tableName: "t",
      fanoutQueueUrl: "https://sqs/q",
      deadLetterQueueUrl: "https://sqs/d",
      gatewayEndpoint: "https://api/prod",
    });
    expect(() => parseConfig({ ...environment, TABLE_NAME: "", GATEWAY_ENDPOINT: "api/prod" })).toThrow(
      "TABLE_NAME must be set. GATEWAY_ENDPOINT must be a URL.",
    );
  });

  it("reports all faults at once", () => {
    const environment = { STORE: "oracle", FANOUT_PAGE_SIZE: "0", SUBSCRIPTIONS_MAX: "lots" };
    expect(() => parseConfig(environment)).toThrow(
      "The environment is wrong: STORE must be one of: memory, dynamodb. FANOUT_PAGE_SIZE must be a whole number from 1 to 1000. " +
        "SUBSCRIPTIONS_MAX must be a whole number from 1 to 1000. The README lists every name.",
    );
  });
});
