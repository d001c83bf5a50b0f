import { describe, expect, it } from "@jest/globals";
import { parseConfig } from "@topicast/core";

describe("parseConfig", () => {
  it("has defaults; an empty name counts as not set", () => {
    const posting = { concurrency: 64, timeoutMs: 3_000 };
    const settings = { inlineMax: 16, shardMax: 5_000, pageSize: 500, maxAttempts: 6, maxSubscriptions: 100 };
    expect(parseConfig({ STORE: "memory", OPEN: "yes", FANOUT_INLINE_MAX: "", PATH: "/bin" })).toEqual({
      backend: { store: "memory" },
      doors: { open: true },
      allowedOrigins: "*",
      rules: [],
      messagesPerSecond: 100,
      settings,
      posting,
    });
  });

  it("takes what is set", () => {
    const { settings } = parseConfig({
      STORE: "memory",
      OPEN: "yes",
      FANOUT_INLINE_MAX: "0",
      SUBSCRIPTIONS_MAX: "1000",
    });
    expect(settings).toMatchObject({ inlineMax: 0, maxSubscriptions: 1_000 });
  });

  it.each(["-1", "1.5", "many", "1001", "1e2", " 1"])("refuses FANOUT_INLINE_MAX=%j", (value) => {
    expect(() => parseConfig({ STORE: "memory", OPEN: "yes", FANOUT_INLINE_MAX: value })).toThrow(
      "FANOUT_INLINE_MAX must be a whole number from 0 to 1000.",
    );
  });

  it("needs to know where things are on AWS", () => {
    const environment = {
      STORE: "dynamodb",
      OPEN: "yes",
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

  it("needs to know where Redis is, and what its keys begin with", () => {
    const environment = {
      STORE: "redis",
      OPEN: "yes",
      REDIS_URL: "rediss://:hunter2@a,b",
      REDIS_PREFIX: "topicast-message-topic-dev:",
      FANOUT_QUEUE_URL: "https://sqs/q",
      DEAD_LETTER_QUEUE_URL: "https://sqs/d",
      GATEWAY_ENDPOINT: "https://api/prod",
    };
    expect(parseConfig(environment).backend).toEqual({
      store: "redis",
      redis: { url: "rediss://:hunter2@a,b", keyPrefix: "topicast-message-topic-dev:" },
      fanoutQueueUrl: "https://sqs/q",
      deadLetterQueueUrl: "https://sqs/d",
      gatewayEndpoint: "https://api/prod",
    });
    const wrong = { ...environment, REDIS_URL: "rediss://:hunter2@a,b/2", REDIS_PREFIX: "{dev}" };
    expect(() => parseConfig(wrong)).toThrow(/REDIS_URL must name no database.* REDIS_PREFIX must have no braces\./);
    expect(() => parseConfig(wrong)).not.toThrow(/hunter2/);
    expect(() => parseConfig({ ...environment, REDIS_URL: "", REDIS_PREFIX: "" })).toThrow(
      "REDIS_URL must be set. REDIS_PREFIX must be set.",
    );
  });

  it.each(["dynamodb+redis", "redis+dynamodb"])(
    "needs to know of both stores while it moves in the step %s",
    (store) => {
      const environment = {
        STORE: store,
        OPEN: "yes",
        TABLE_NAME: "t",
        REDIS_URL: "redis://a",
        REDIS_PREFIX: "p:",
        FANOUT_QUEUE_URL: "https://sqs/q",
        DEAD_LETTER_QUEUE_URL: "https://sqs/d",
        GATEWAY_ENDPOINT: "https://api/prod",
      };
      expect(parseConfig(environment).backend).toMatchObject({
        store,
        tableName: "t",
        redis: { url: "redis://a", keyPrefix: "p:" },
      });
      expect(() => parseConfig({ ...environment, TABLE_NAME: "", REDIS_URL: "" })).toThrow("TABLE_NAME must be set.");
      expect(() => parseConfig({ ...environment, TABLE_NAME: "", REDIS_URL: "" })).toThrow("REDIS_URL must be set.");
    },
  );

  it("reports all faults at once", () => {
    const environment = { STORE: "oracle", OPEN: "yes", FANOUT_PAGE_SIZE: "0", SUBSCRIPTIONS_MAX: "lots" };
    expect(() => parseConfig(environment)).toThrow(
      "The environment is wrong: STORE must be one of: memory, dynamodb, dynamodb+redis, redis+dynamodb, redis. FANOUT_PAGE_SIZE must be a whole number from 1 to 1000. " +
        "SUBSCRIPTIONS_MAX must be a whole number from 1 to 1000. The README lists every name.",
    );
  });

  describe("of doors", () => {
    const closed = { STORE: "memory", ENCRYPTION_KEY: "x".repeat(32) };

    it("keeps them closed unless it is told in words to open them", () => {
      expect(parseConfig(closed).doors).toEqual({ open: false, encryptionKey: { value: "x".repeat(32) } });
      expect(parseConfig({ STORE: "memory", ENCRYPTION_KEY_PARAMETER: "/key" }).doors).toEqual({
        open: false,
        encryptionKey: { parameter: "/key" },
      });
      expect(() => parseConfig({ ...closed, OPEN: "true" })).toThrow('OPEN must be "yes" or not set.');
      expect(() => parseConfig({ STORE: "memory" })).toThrow("ENCRYPTION_KEY or ENCRYPTION_KEY_PARAMETER must be set");
    });

    it.each([
      [{ ENCRYPTION_KEY: "short" }, "ENCRYPTION_KEY must have at least 32 characters."],
      [{ STORE: "dynamodb" }, "APPLICATIONS_TABLE_NAME must be set."],
      [{ STORE: "redis" }, "APPLICATIONS_REDIS_PREFIX must be set."],
      [{ STORE: "redis+dynamodb" }, "APPLICATIONS_TABLE_NAME must be set. APPLICATIONS_REDIS_PREFIX must be set."],
      [{ JWKS_URL: "https://id.example.com/keys" }, "JWKS_ALGORITHM must say which"],
      [{ JWKS_URL: "keys", JWKS_ALGORITHM: "HS256" }, "JWKS_URL must be a URL. JWKS_ALGORITHM must be one of: RS256"],
      [{ AUTH_URL: "https://a", JWKS_URL: "https://b", JWKS_ALGORITHM: "RS256" }, "AUTH_URL and JWKS_URL exclude"],
      [{ ALLOWED_ORIGINS: "https://a.example, b.example" }, "ALLOWED_ORIGINS must be * or origins"],
      [{ ALLOWED_ORIGINS: "https://a.example/path" }, "ALLOWED_ORIGINS must be * or origins"],
    ])("refuses %j", (names, message) => {
      expect(() => parseConfig({ ...closed, ...names })).toThrow(message);
    });

    it("takes origins divided by commas", () => {
      const { allowedOrigins } = parseConfig({
        ...closed,
        ALLOWED_ORIGINS: "https://a.example, http://localhost:5173",
      });
      expect(allowedOrigins).toEqual(["https://a.example", "http://localhost:5173"]);
    });
  });
});
