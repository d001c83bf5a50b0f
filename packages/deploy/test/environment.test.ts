import { describe, expect, it } from "@jest/globals";
import { findFault } from "../src/environment.js";

const NO_DOMAINS = { webSocket: "", webSocketPath: "", http: "", certificateArn: "" };
const CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0000";

describe("an environment to deploy from", () => {
  it.each([
    {},
    { webSocket: "ws.example.com", certificateArn: CERTIFICATE },
    { http: "api.example.com", certificateArn: CERTIFICATE },
    { webSocket: "ws.example.com", webSocketPath: "v1", http: "api.example.com", certificateArn: CERTIFICATE },
  ])("is right with %p", (domains) => {
    expect(findFault({}, { ...NO_DOMAINS, ...domains })).toBeUndefined();
  });

  it.each(["encryption-key", "/topicast/encryption key", "/", "/a/"])("refuses the parameter %p", (name) => {
    const fault = findFault({ ENCRYPTION_KEY_PARAMETER: name }, NO_DOMAINS);
    expect(fault).toMatch(/^ENCRYPTION_KEY_PARAMETER: .* is no name of a parameter/);
  });

  it.each(["", "/topicast/prod/encryption-key", "/key"])("takes the parameter %p", (name) => {
    expect(findFault({ ENCRYPTION_KEY_PARAMETER: name }, NO_DOMAINS)).toBeUndefined();
  });

  it.each(["", "dynamodb", "redis", "dynamodb+redis", "redis+dynamodb"])("takes the store %p", (STORE) => {
    expect(findFault({ STORE }, NO_DOMAINS)).toBeUndefined();
  });

  it.each(["oracle", "memory", "redis+redis"])("refuses the store %p, and says which there are", (STORE) => {
    const fault = `STORE: "${STORE}" is no store: it must be one of dynamodb, redis, dynamodb+redis, redis+dynamodb.`;
    expect(findFault({ STORE }, NO_DOMAINS)).toBe(fault);
  });

  const IN_VPC = { STORE: "redis", VPC_SUBNET_IDS: "subnet-0a,subnet-1b", VPC_SECURITY_GROUP_IDS: "sg-0a,sg-1b" };

  it.each([
    IN_VPC,
    { STORE: "redis", REDIS_URL: "rediss://a.example.com:6379,rediss://b.example.com:6379" },
    { STORE: "dynamodb+redis", REDIS_URL_SECRET: "/topicast/prod/redis-url", VPC_SUBNET_IDS: "" },
    { STORE: "redis", REDIS_URL_SECRET: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:redis-url-AbCdEf" },
    // What a store doesn't need is not looked at.
    { STORE: "dynamodb", VPC_SUBNET_IDS: "all" },
  ])("is right with the Redis of %p", (env) => {
    expect(findFault(env, NO_DOMAINS)).toBeUndefined();
  });

  it.each([
    [{ ...IN_VPC, VPC_SUBNET_IDS: "" }, "VPC_SUBNET_IDS and VPC_SECURITY_GROUP_IDS need each other"],
    [{ ...IN_VPC, VPC_SECURITY_GROUP_IDS: "" }, "VPC_SUBNET_IDS and VPC_SECURITY_GROUP_IDS need each other"],
    [{ ...IN_VPC, VPC_SUBNET_IDS: "subnet-0a, subnet-1b" }, 'VPC_SUBNET_IDS: "subnet-0a, subnet-1b" are no subnets'],
    [{ ...IN_VPC, VPC_SECURITY_GROUP_IDS: "default" }, 'VPC_SECURITY_GROUP_IDS: "default" are no security groups'],
    [{ STORE: "redis", REDIS_URL_SECRET: "a secret" }, 'REDIS_URL_SECRET: "a secret" is no name of a secret'],
  ])("is told the fault of %p in one line", (env, fault) => {
    const found = findFault(env, NO_DOMAINS);
    expect(found).toContain(fault);
    expect(found).not.toContain("\n");
  });

  it("refuses a password that would stand in the template, and doesn't repeat it", () => {
    const fault = findFault({ STORE: "redis", REDIS_URL: "rediss://default:abc@example.com:6379" }, NO_DOMAINS);
    expect(fault).toMatch(/^REDIS_URL has a password, or a user: .*docs\/redis\.md/);
    expect(fault).not.toContain("abc");
  });

  it("is told of a domain name that two services want", () => {
    const env = { TOPIC_WEBSOCKET_DOMAIN: "ws.example.com", BROADCAST_WEBSOCKET_DOMAIN: "ws.example.com" };
    const domains = { ...NO_DOMAINS, webSocket: "ws.example.com", certificateArn: CERTIFICATE };
    expect(findFault(env, domains)).toMatch(/^ws\.example\.com is given twice: each service needs/);
  });

  it.each([
    [{ webSocket: "https://ws.example.com" }, '"https://ws.example.com" is no domain name'],
    [{ http: "API.example.com" }, '"API.example.com" is no domain name'],
    [{ webSocketPath: "v1" }, 'The path "v1" needs a WebSocket domain'],
    [{ webSocket: "ws.example.com", webSocketPath: "/v1" }, '"/v1" is no path of a domain'],
    [{ webSocket: "ws.example.com" }, "ws.example.com needs a certificate: set CERTIFICATE_ARN"],
    [{ http: "api.example.com", certificateArn: "arn" }, "api.example.com needs a certificate: set CERTIFICATE_ARN"],
    [
      { webSocket: "a.example.com", http: "a.example.com", certificateArn: CERTIFICATE },
      "a.example.com is given twice",
    ],
  ])("is told the fault of %p in one line", (domains, fault) => {
    const found = findFault({}, { ...NO_DOMAINS, ...domains });
    expect(found).toContain(fault);
    expect(found).not.toContain("\n");
  });
});
