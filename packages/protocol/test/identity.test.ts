import { describe, expect, it } from "@jest/globals";
import { parseClientSecret } from "../src/index.ts";

describe("parseClientSecret", () => {
  it.each([
    ["16 characters", "a".repeat(16)],
    ["64 characters", "Z".repeat(64)],
    ["every kind of character", "AZaz09_-AZaz09_-"],
  ])("takes %s", (_what, secret) => {
    expect(parseClientSecret(secret)).toEqual({ ok: true, value: secret });
  });

  it.each([
    ["nothing", ""],
    ["15 characters", "a".repeat(15)],
    ["65 characters", "a".repeat(65)],
    ["a space", `${"a".repeat(16)} `],
    ["a newline at the end", `${"a".repeat(16)}\n`],
    ["`+`, which standard base64 has", `${"a".repeat(16)}+`],
    ["a letter that is not ASCII", `${"a".repeat(16)}é`],
  ])("refuses %s, names the field and keeps the secret to itself", (_what, secret) => {
    const parsed = parseClientSecret(secret);

    expect(parsed).toMatchObject({ ok: false, fault: { code: "bad_request" } });
    expect(parsed).toHaveProperty("fault.message", expect.stringMatching(/^`client` must be 16 to 64 characters/));
    expect(parsed).not.toHaveProperty("fault.message", expect.stringContaining("aaaa"));
  });
});
