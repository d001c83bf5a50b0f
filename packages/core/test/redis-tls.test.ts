import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type CertificateFiles, type RedisServer, startRedisServer } from "@topicast/testing";
import { Redis } from "ioredis";
import { connectRedis } from "../src/drivers/redis.ts";
import { createCertificate } from "./certificates.ts";

const CLUSTER = [
  ...["--cluster-enabled", "yes", "--tls-cluster", "yes"],
  ...["--cluster-announce-hostname", "localhost", "--cluster-preferred-endpoint-type", "hostname"],
];

let own: CertificateFiles;
let plain: RedisServer;
beforeAll(async () => {
  own = createCertificate("localhost");
  plain = await startRedisServer();
});
afterAll(async () => {
  await plain.stop();
  rmSync(dirname(own.certificate), { recursive: true });
});

/** What became of a publish by a process that trusts this certificate beside those that all do. */
async function publish(url: string, trusted?: string): Promise<object> {
  const command = ["--import", "tsx", join(__dirname, "redis-tls-client.ts"), url];
  const env = { PATH: process.env.PATH, ...(trusted !== undefined && { NODE_EXTRA_CA_CERTS: trusted }) };
  const { stdout } = await promisify(execFile)(process.execPath, command, { env });
  return JSON.parse(stdout);
}

/** A cluster of one. */
async function takeAllSlots({ port }: RedisServer): Promise<void> {
  const tls = { ca: readFileSync(own.certificate) };
  const redis = new Redis({ port, host: "localhost", tls });
  await redis.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  while (!String(await redis.call("CLUSTER", "INFO")).includes("cluster_state:ok"));
  redis.disconnect();
}

function unreachable(address: string, why: string) {
  return {
    name: "UnavailableError",
    message: expect.stringMatching(`^Redis at ${address} can't be reached: ${why}.*\\. Try again\\.$`),
  };
}

describe.each([
  { what: "a server", settings: [], form: "" },
  { what: "a cluster, whose nodes have names,", settings: CLUSTER, form: "?cluster=yes" },
])("rediss:// of $what", ({ settings, form }) => {
  let server: RedisServer;
  const at = (host: string) => `rediss://${host}:${server.port}${form}`;
  beforeAll(async () => {
    server = await startRedisServer({ tls: own, settings });
    if (settings === CLUSTER) await takeAllSlots(server);
  });
  afterAll(() => server.stop());

  it("is spoken to where its certificate is trusted", async () => {
    expect(await publish(at("localhost"), own.certificate)).toEqual({ seq: 1 });
    expect(await publish(at("localhost"), own.certificate)).toEqual({ seq: 2 });
  });

  it("is unavailable where nobody vouches for its certificate, and says so", async () => {
    expect(await publish(at("localhost"))).toEqual(unreachable(`localhost:${server.port}`, "self-signed certificate"));
  });

  it("is unavailable where its certificate is for another name, and says so", async () => {
    expect(await publish(at("127.0.0.1"), own.certificate)).toEqual(
      unreachable(`127.0.0.1:${server.port}`, "Hostname/IP does not match certificate's altnames"),
    );
  });

  it("is unavailable without TLS, and says that the connection broke", async () => {
    expect(await publish(`redis://localhost:${server.port}${form}`)).toEqual(
      unreachable(`localhost:${server.port}`, "read ECONNRESET"),
    );
  });
});

it("rediss:// of a server without TLS is unavailable", async () => {
  expect(await publish(`rediss://localhost:${plain.port}`)).toEqual(
    unreachable(`localhost:${plain.port}`, "connect ETIMEDOUT"),
  );
  const redis = connectRedis(plain.url);
  expect(await redis.ping()).toBe("PONG");
  redis.disconnect();
});
