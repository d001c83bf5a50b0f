import { describe, expect, it } from "@jest/globals";
import { findFault } from "../src/environment.js";

const NO_DOMAINS = { webSocket: "", webSocketPath: "", http: "", certificateArn: "" };
const CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0000";

describe("an environment to deploy from", () => {
  it.each([undefined, "", "no", "true", "YES"])("asks for OPEN=yes where OPEN is %p", (open) => {
    const fault = findFault(open === undefined ? {} : { OPEN: open }, NO_DOMAINS);
    expect(fault).toMatch(/no authentication.*OPEN=yes npm run deploy/);
    expect(fault).not.toContain("\n");
  });

  it.each([
    {},
    { webSocket: "ws.example.com", certificateArn: CERTIFICATE },
    { http: "api.example.com", certificateArn: CERTIFICATE },
    { webSocket: "ws.example.com", webSocketPath: "v1", http: "api.example.com", certificateArn: CERTIFICATE },
  ])("is right with %p", (domains) => {
    expect(findFault({ OPEN: "yes" }, { ...NO_DOMAINS, ...domains })).toBeUndefined();
  });

  it("is told of a domain name that two services want", () => {
    const env = { OPEN: "yes", TOPIC_WEBSOCKET_DOMAIN: "ws.example.com", BROADCAST_WEBSOCKET_DOMAIN: "ws.example.com" };
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
    const found = findFault({ OPEN: "yes" }, { ...NO_DOMAINS, ...domains });
    expect(found).toContain(fault);
    expect(found).not.toContain("\n");
  });
});
