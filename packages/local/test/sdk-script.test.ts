import { runInNewContext } from "node:vm";
import { expect, it } from "@jest/globals";
import { startFixtures } from "./fixture-host.ts";

it("serves the SDK to pages of any origin, as a script that makes it a global", async () => {
  const host = await startFixtures(["echo"]);
  try {
    const response = await fetch(`${host.url}/topicast.js`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    const page: { topicast?: { connect?: unknown; connectBroadcast?: unknown } } = {};
    runInNewContext(await response.text(), page);
    expect(page.topicast).toMatchObject({ connect: expect.any(Function), connectBroadcast: expect.any(Function) });
    expect((await fetch(`${host.url}/topicast.js`, { method: "POST" })).status).toBe(404);
  } finally {
    await host.close();
  }
});
