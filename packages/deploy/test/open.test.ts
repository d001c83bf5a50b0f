import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { PACKAGING_MS, templateOf } from "./packaged.ts";
import { type Checkout, createCheckout } from "./serverless.ts";
import { readTemplate } from "./template.ts";

let checkout: Checkout;
beforeAll(async () => {
  checkout = await createCheckout();
});
afterAll(() => checkout.remove());

it(
  "what the functions would stop at stops the packaging",
  async () => {
    const wrong = {
      FANOUT_INLINE_MAX: "-1",
      TOPIC_RULES: '[{"match":"a","days":1}]',
      AUTH_URL: "here",
      OPERATOR_KEY_HASH: "a key and no hash",
    };
    const { status, output } = await checkout.run(["package"], wrong);
    expect(status).toBe(1);
    expect(output).toMatch(/FANOUT_INLINE_MAX must be .*TOPIC_RULES\[0\]\.days is no part of a rule.*AUTH_URL must be/);
    expect(output).toMatch(/OPERATOR_KEY_HASH must be/);
    expect(output).not.toContain("a key and no hash");
    expect(output).not.toMatch(/^\s+at /m);
  },
  PACKAGING_MS,
);

it(
  "a store that there isn't stops the packaging, and so does one that can't be where it is said to be",
  async () => {
    const stop = async (environment: Record<string, string>) => {
      const { status, output } = await checkout.run(["applications:package"], environment);
      expect(status).toBe(1);
      return output;
    };
    expect(await stop({ STORE: "oracle" })).toContain('"oracle" is no store: it must be one of dynamodb, redis,');
    expect(await stop({ STORE: "redis", REDIS_URL: "localhost:6379" })).toContain(
      "REDIS_URL must be redis://host:port",
    );
  },
  PACKAGING_MS,
);

it(
  "doors that are open have no operator, and no parameter that could be missing",
  async () => {
    const { status, output } = await checkout.run(["applications:package"], { OPEN: "yes" });
    expect([status, status === 0 ? "" : output]).toEqual([0, ""]);
    const { resources } = await readTemplate(templateOf(checkout, "applications"));
    const { Variables } = resources.HttpLambdaFunction?.Properties.Environment ?? {};
    expect(Variables).toMatchObject({ OPEN: "yes", OPERATOR_KEY_HASH: "" });
  },
  PACKAGING_MS,
);
