import { describe, expect, it } from "@jest/globals";
import {
  type ConnectionStore,
  connect,
  DEFAULT_APP,
  EVERYTHING,
  openApplications,
  UnavailableError,
} from "@topicast/core";
import { connectResponse } from "@topicast/core/lambda";
import { anApp, aTarget, aTopic } from "@topicast/testing";
import { testService } from "./test-service.ts";

const caller = { app: DEFAULT_APP, access: EVERYTHING };
const topic = aTopic("lobby");

/** A service whose application may have two connections. */
function limitedService() {
  const open = openApplications([]);
  const applications: typeof open = {
    ...open,
    find: async (id) => {
      const found = await open.find(id);
      return found && { ...found, maxConnections: 2 };
    },
  };
  return testService({}, { applications });
}

describe("connect", () => {
  it("refuses more than an application may have, and says when to come back", async () => {
    const service = limitedService();
    for (let i = 0; i < 2; i++)
      expect(await connect(service, { caller, target: aTarget() })).toMatchObject({ ok: true });
    const target = aTarget();
    const refused = connect(service, { caller, target, room: topic });
    expect(await refused).toMatchObject({
      ok: false,
      fault: { code: "rate_limited", limit: 2, retryAfter: 10_000, message: expect.stringContaining("2 connections") },
    });
    expect(await service.connections.get(DEFAULT_APP, target.id, "fresh")).toBeUndefined();
    const response = await connectResponse(service.logger, {}, () => refused);
    expect(response).toMatchObject({ statusCode: 429, headers: { "retry-after": "10" } });
  });

  it("lets another in when one has left", async () => {
    const service = limitedService();
    const targets = [aTarget(), aTarget()];
    for (const target of targets) await connect(service, { caller, target });
    await service.connections.disconnect(DEFAULT_APP, targets[0]!.id);
    expect(await connect(service, { caller, target: aTarget() })).toMatchObject({ ok: true });
  });

  it("leaves nothing that counts where it failed half-way", async () => {
    const service = limitedService();
    const failing: ConnectionStore["connect"] = async (connection, max) => {
      await service.connections.connect(connection, max);
      throw new UnavailableError("store", "No answer in time.");
    };
    const connections = { ...service.connections, connect: failing };
    for (let i = 0; i < 5; i++) {
      const failed = connect({ ...service, connections }, { caller, target: aTarget(), room: topic });
      await expect(failed).rejects.toBeInstanceOf(UnavailableError);
    }
    expect(await connect(service, { caller, target: aTarget() })).toMatchObject({ ok: true });
  });

  it("refuses who comes for an application that is gone", async () => {
    const service = testService();
    const target = aTarget();
    const refused = await connect(service, { caller: { ...caller, app: anApp("gone~1") }, target });
    expect(refused).toMatchObject({ fault: { code: "unauthorized" } });
    expect(await service.connections.get(anApp("gone~1"), target.id, "fresh")).toBeUndefined();
  });
});
