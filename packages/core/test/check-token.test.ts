import { expect, it } from "@jest/globals";
import { mintToken } from "@topicast/core";
import { tokenCase } from "./token-case.ts";

it("takes a token that an application's key signed", async () => {
  const { createApplication, addKey, check, clock } = await tokenCase();
  await createApplication("game");
  const key = await addKey("game", "k1");
  const cap = { "room/*": ["subscribe", "publish"] };
  const token = await mintToken({ key, sub: "alice", cap, lifetimeMs: 60_000, clock });
  expect(await check(token.ok ? token.value : "")).toEqual({
    ok: true,
    value: {
      app: "game~g1",
      user: "alice",
      expiresAt: clock.now() + 60_000,
      access: [
        [{ topics: "room/*", rights: ["subscribe", "publish"] }],
        [{ topics: "*", rights: ["subscribe", "publish", "history", "presence", "admin"] }],
      ],
    },
  });
});
