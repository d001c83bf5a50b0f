import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { type ConnectionId, systemClock } from "@topicast/core";
import { aTarget } from "@topicast/testing";
import { createGatewayClient } from "../src/drivers/aws-clients.ts";
import { createApiGateway } from "../src/drivers/connection-gateway/api-gateway.ts";

const CREDENTIALS = { accessKeyId: "any", secretAccessKey: "any" };
const CONCURRENCY = 64;
/** What the account has room for at a time. */
const ROOM = 8;

describe("posts that API Gateway throttles", () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** An `@connections` that answers 429 to what it has no room for. */
  async function startManagementApi(room: number) {
    let underWay = 0;
    const api = { requests: 0, refused: 0, most: 0, gatewayOf };
    const server = createServer(async (request, response) => {
      underWay += 1;
      api.requests += 1;
      api.most = Math.max(api.most, underWay);
      const isRefused = underWay > room;
      if (isRefused) api.refused += 1;
      await request.resume().toArray();
      // What came together is under way together.
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      response.writeHead(isRefused ? 429 : 200, { "x-amzn-errortype": "LimitExceededException" }).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(() => server.close());
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prod`;
    function gatewayOf() {
      const region = "us-east-1";
      const client = createGatewayClient({ endpoint, concurrency: CONCURRENCY, region, credentials: CREDENTIALS });
      closing.push(() => client.destroy());
      const logger = { warn: () => {}, error: () => {} };
      return createApiGateway({ client, logger, clock: systemClock, concurrency: CONCURRENCY, timeoutMs: 3_000 });
    }
    return api;
  }

  const targetsOf = (count: number) =>
    Array.from({ length: count }, (_, i) => aTarget({ id: `client-${i}` as ConnectionId }));

  it("slow down together to what there is room for, each asked once, and the refused are told", async () => {
    const api = await startManagementApi(ROOM);
    const failures = await api.gatewayOf().post(targetsOf(600), "hello");
    expect(api.requests).toBe(600);
    expect(failures).toMatchObject({ gone: [], failed: [] });
    expect(failures.throttled).toHaveLength(api.refused);
    // All at once first; then some each time that it tries for more. Without a pace it is nearly all of them.
    expect(api.refused).toBeGreaterThan(0);
    expect(api.refused).toBeLessThan(200);
  });

  it("are side by side as ever where nothing is refused", async () => {
    const api = await startManagementApi(CONCURRENCY);
    expect(await api.gatewayOf().post(targetsOf(300), "hello")).toEqual({ gone: [], throttled: [], failed: [] });
    expect(api.most).toBeGreaterThan(ROOM);
  });

  it("are left for later, untried, where nothing comes through for seconds", async () => {
    const api = await startManagementApi(0);
    const targets = targetsOf(500);
    expect(await api.gatewayOf().post(targets, "hello")).toEqual({ gone: [], throttled: targets, failed: [] });
    expect(api.requests).toBeLessThan(2 * CONCURRENCY + 10);
  });
});
