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
    const script = await response.text();
    const page: { topicast?: { connect?: unknown; connectBroadcast?: unknown } } = {};
    runInNewContext(script, page);
    expect(page.topicast).toMatchObject({ connect: expect.any(Function), connectBroadcast: expect.any(Function) });
    const head = await fetch(`${host.url}/topicast.js`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    for (const name of ["content-type", "access-control-allow-origin", "cache-control"]) {
      expect(head.headers.get(name)).toBe(response.headers.get(name));
    }
    expect(head.headers.get("content-length")).toBe(String(Buffer.byteLength(script)));
    expect((await fetch(`${host.url}/topicast.js`, { method: "POST" })).status).toBe(404);
    expect((await fetch(`${host.url}/topicast.js/more`)).status).toBe(404);
  } finally {
    await host.close();
  }
});
