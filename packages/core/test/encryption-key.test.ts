import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { UnavailableError } from "@topicast/core";
import { type HttpAnswers, jsonAnswer, startHttpAnswers } from "@topicast/testing";
import { createSsmClient, sealerOf } from "../src/drivers/encryption-key.ts";

jest.setTimeout(60_000);

const VALUE = "an encryption key of 32 characters";
const NAME = { app: "game", keyId: "k1" };
const PARAMETER = "/topicast/test/encryption-key";

let ssm: HttpAnswers;
beforeEach(async () => {
  ssm = await startHttpAnswers();
  ssm.answer(parameterOf(VALUE));
});
afterEach(() => ssm.close());

/** As SSM answers GetParameter. */
function parameterOf(Value: string) {
  const Parameter = { Name: PARAMETER, Type: "SecureString", Value, Version: 1, DataType: "text" };
  return jsonAnswer({ Parameter });
}

function sealer(attemptTimeoutMs?: number) {
  const credentials = { accessKeyId: "a", secretAccessKey: "s" };
  return sealerOf({ parameter: PARAMETER }, () =>
    createSsmClient({
      endpoint: ssm.url,
      region: "us-east-1",
      credentials,
      ...(attemptTimeoutMs !== undefined && { attemptTimeoutMs }),
    }),
  );
}

it("is the configured one, of which SSM is never asked", async () => {
  const [one, other] = [await sealerOf({ value: VALUE })(), await sealerOf({ value: VALUE })()];
  expect(other.open(NAME, one.seal(NAME, "signing key"))).toBe("signing key");
  expect(() => other.open({ ...NAME, keyId: "k2" }, one.seal(NAME, "signing key"))).toThrow();
});

describe("the parameter", () => {
  it("is asked for once, decrypted, by all who need it", async () => {
    const get = sealer();
    expect(ssm.asked).toEqual([]);
    const [one] = await Promise.all(Array.from({ length: 10 }, get));
    await get();
    const configured = await sealerOf({ value: VALUE })();
    expect(configured.open(NAME, one?.seal(NAME, "signing key") ?? "")).toBe("signing key");
    expect(ssm.asked).toHaveLength(1);
    expect(ssm.asked[0]?.headers["x-amz-target"]).toBe("AmazonSSM.GetParameter");
    expect(JSON.parse(ssm.asked[0]?.body ?? "")).toEqual({ Name: PARAMETER, WithDecryption: true });
  });

  it.each<[string, Parameters<HttpAnswers["answer"]>[0]]>([
    ["isn't there", jsonAnswer({ __type: "ParameterNotFound" }, 400)],
    ["may not be read", jsonAnswer({ __type: "AccessDeniedException", message: "no" }, 400)],
    ["can't be read", jsonAnswer({ __type: "InternalServerError" }, 500)],
    ["is empty", jsonAnswer({})],
    ["is too short", parameterOf("short-and-secret")],
  ])("that %s is asked for again the next time", async (_, answer) => {
    ssm.answer(answer);
    const get = sealer();
    const [one, other] = await Promise.allSettled([get(), get()]);
    for (const outcome of [one, other]) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { name: "UnavailableError", part: "key source" } });
    }
    const reason: UnavailableError = one.status === "rejected" ? one.reason : new UnavailableError("store", "");
    expect(reason.message).toContain(PARAMETER);
    expect(reason.message).not.toContain("short-and-secret");
    ssm.answer(parameterOf(VALUE));
    expect(await get()).toBe(await get());
  });

  it("that is held back isn't waited for", async () => {
    ssm.answer(() => {});
    await expect(sealer(50)()).rejects.toThrow(UnavailableError);
  });
});
