import { describe, expect, it } from "@jest/globals";
import { parseApplicationsConfig } from "@topicast/core";

const HASH = "0123456789abcdef".repeat(4);
const ENCRYPTION_KEY = "an encryption key, long enough for anyone";
const PARAMETER = "/topicast/dev/encryption-key";

describe("parseApplicationsConfig", () => {
  it("has an operator where doors are closed and a key was given", () => {
    const environment = { STORE: "dynamodb", TABLE_NAME: "t", OPERATOR_KEY_HASH: HASH, PATH: "/bin" };
    expect(parseApplicationsConfig({ ...environment, ENCRYPTION_KEY_PARAMETER: PARAMETER })).toEqual({
      backend: { store: "dynamodb", tableName: "t" },
      allowedOrigins: "*",
      operator: { keyHash: HASH, encryptionKey: { parameter: PARAMETER } },
    });
    const both = { ENCRYPTION_KEY, ENCRYPTION_KEY_PARAMETER: PARAMETER };
    expect(parseApplicationsConfig({ ...environment, ...both }).operator?.encryptionKey).toEqual({
      value: ENCRYPTION_KEY,
    });
  });

  it.each([
    { OPEN: "yes", OPERATOR_KEY_HASH: HASH, ENCRYPTION_KEY },
    { OPEN: "yes", OPERATOR_KEY_HASH: HASH },
    { ENCRYPTION_KEY },
    { OPERATOR_KEY_HASH: "", OPEN: "", TABLE_NAME: "" },
  ])("has none with %p", (environment) => {
    const config = parseApplicationsConfig({ STORE: "memory", ALLOWED_ORIGINS: "https://a.example", ...environment });
    expect(config).toEqual({ backend: { store: "memory" }, allowedOrigins: ["https://a.example"] });
  });

  it("finds Redis by its URL and what keys begin with", () => {
    const environment = { STORE: "redis", OPEN: "yes", REDIS_URL: "redis://:hunter2@cache", REDIS_PREFIX: "dev:" };
    expect(parseApplicationsConfig(environment).backend).toEqual({
      store: "redis",
      redis: { url: "redis://:hunter2@cache", keyPrefix: "dev:" },
    });
    const wrong = { ...environment, REDIS_URL: "http://:hunter2@cache", REDIS_PREFIX: "" };
    expect(() => parseApplicationsConfig(wrong)).toThrow(/REDIS_URL must be redis:\/\/.* REDIS_PREFIX must be set\./);
    expect(() => parseApplicationsConfig(wrong)).not.toThrow(/hunter2/);
  });

  it("tells all faults at once, and no key", () => {
    const wrong = {
      STORE: "dynamodb",
      OPEN: "no",
      OPERATOR_KEY_HASH: "the key itself",
      ENCRYPTION_KEY: "a short one",
      ALLOWED_ORIGINS: "here",
    };
    const parse = () => parseApplicationsConfig(wrong);
    for (const name of ["TABLE_NAME", "OPEN", "OPERATOR_KEY_HASH", "ENCRYPTION_KEY", "ALLOWED_ORIGINS"]) {
      expect(parse).toThrow(`${name} must `);
    }
    expect(parse).not.toThrow(/the key itself|a short one/);
    expect(() => parseApplicationsConfig({})).toThrow("STORE must be one of");
    expect(() => parseApplicationsConfig({ STORE: "memory", OPERATOR_KEY_HASH: HASH })).toThrow(
      "ENCRYPTION_KEY or ENCRYPTION_KEY_PARAMETER must be set, or OPEN=yes.",
    );
  });
});
