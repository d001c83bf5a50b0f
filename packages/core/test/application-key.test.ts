import { describe, expect, it } from "@jest/globals";
import {
  createSealer,
  createSecret,
  formatApplicationKey,
  hashSecret,
  parseApplicationKey,
  parseKeyName,
  signingKeyOf,
} from "@topicast/core";

const SECRET = "s".repeat(43);
const ENCRYPTION_KEY = "an encryption key, long enough for anyone";
const name = { app: "game", keyId: "k1" };

describe("an application's key", () => {
  it("is read as it is written", () => {
    const key = { ...name, secret: createSecret() };
    expect(formatApplicationKey(key)).toBe(`game.k1:${key.secret}`);
    expect(parseApplicationKey(formatApplicationKey(key))).toEqual(key);
    expect(parseKeyName("game-2.0")).toEqual({ app: "game-2", keyId: "0" });
  });

  it("has another secret each time, of 32 bytes", () => {
    const secrets = Array.from({ length: 100 }, createSecret);
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) expect(Buffer.from(secret, "base64url")).toHaveLength(32);
  });

  it.each([
    "",
    ":",
    `:${SECRET}`,
    `game:${SECRET}`,
    `game.:${SECRET}`,
    `.k1:${SECRET}`,
    `game.k1.x:${SECRET}`,
    `Game.k1:${SECRET}`,
    `-game.k1:${SECRET}`,
    `game.K1:${SECRET}`,
    `game~1.k1:${SECRET}`,
    `${"g".repeat(33)}.k1:${SECRET}`,
    `game.${"k".repeat(17)}:${SECRET}`,
    "game.k1",
    "game.k1:",
    `game.k1:${"s".repeat(31)}`,
    `game.k1:${"s".repeat(129)}`,
    `game.k1:${SECRET}:`,
    `game.k1:${SECRET}=`,
    `game.k1:${SECRET}\n`,
    ` game.k1:${SECRET}`,
    `gämé.k1:${SECRET}`,
  ])("is not %j", (text) => {
    expect(parseApplicationKey(text)).toBeUndefined();
  });
});

describe("what is kept of a secret", () => {
  it("are two hashes in hex, of which neither tells the other", () => {
    // As anyone can work them out with sha256sum.
    expect(hashSecret("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(signingKeyOf("abc")).toBe(hashSecret("token.abc"));
  });

  it("is sealed, each time to another text, and opens with the same key for the same name alone", () => {
    const sealer = createSealer(ENCRYPTION_KEY);
    const signingKey = signingKeyOf(SECRET);
    const sealed = sealer.seal(name, signingKey);
    expect(sealed).not.toContain(signingKey);
    expect(sealer.seal(name, signingKey)).not.toBe(sealed);
    expect(createSealer(ENCRYPTION_KEY).open(name, sealed)).toBe(signingKey);
    expect(() => createSealer(`${ENCRYPTION_KEY}!`).open(name, sealed)).toThrow();
    expect(() => sealer.open({ ...name, keyId: "k2" }, sealed)).toThrow();
    expect(() => sealer.open({ ...name, app: "games" }, sealed)).toThrow();
  });

  it("opens in no other way", () => {
    const sealer = createSealer(ENCRYPTION_KEY);
    const sealed = Buffer.from(sealer.seal(name, signingKeyOf(SECRET)), "base64url");
    for (const at of [0, 11, 12, 27, 28, sealed.length - 1]) {
      const forged = Buffer.from(sealed);
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect(() => sealer.open(name, forged.toString("base64url"))).toThrow();
    }
    for (const short of ["", "AAAA", sealed.subarray(0, 20).toString("base64url")]) {
      expect(() => sealer.open(name, short)).toThrow();
    }
  });
});
