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
