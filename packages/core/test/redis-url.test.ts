import { describe, expect, it } from "@jest/globals";
import { parseRedisUrl } from "../src/redis-url.ts";

describe("parseRedisUrl", () => {
  const server = { nodes: [{ host: "cache.example", port: 6379 }], cluster: false, tls: false, database: 0 };

  it.each([
    ["redis://cache.example", server],
    ["redis://cache.example/", server],
    ["redis://cache.example:7000/2", { ...server, nodes: [{ host: "cache.example", port: 7000 }], database: 2 }],
    ["rediss://:s%40fe@cache.example", { ...server, tls: true, password: "s@fe" }],
    ["rediss://me:safe@cache.example", { ...server, tls: true, username: "me", password: "safe" }],
    ["redis://[::1]:7000", { ...server, nodes: [{ host: "::1", port: 7000 }] }],
    ["rediss://cache.example?cluster=yes", { ...server, tls: true, cluster: true }],
  ])("understands %s", (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address);
  });

  const nodes = [
    { host: "a", port: 7000 },
    { host: "b", port: 6379 },
  ];
  it.each([
    ["redis://a:7000,redis://b", { nodes, cluster: true, tls: false, database: 0 }],
    ["redis://a:7000,b", { nodes, cluster: true, tls: false, database: 0 }],
    ["rediss://me:safe@a:7000,b/", { nodes, cluster: true, tls: true, username: "me", password: "safe", database: 0 }],
  ])("takes several hosts for a cluster: %s", (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address);
  });

  it.each([
    "",
    "localhost:6379",
    "http://cache.example",
    "redis://",
    "redis://:hunter2@",
    "redis://:hunter2@cache.example:port",
    "redis://:hunter2@a,,b",
    "redis://:hunter2@a,rediss://b",
    "redis://:hunter2@a,b/2",
    "redis://:hunter2@a/b",
    "redis://:%zz@hunter2",
  ])("says what is wrong with %j and nothing of what it holds", (url) => {
    const { fault } = parseRedisUrl(url) as { fault: string };
    expect(fault).toMatch(/^must /);
    expect(fault).not.toContain("hunter2");
  });
});
