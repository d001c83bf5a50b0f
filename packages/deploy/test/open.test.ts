import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { PACKAGING_MS } from "./packaged.ts";
import { type Checkout, createCheckout } from "./serverless.ts";

let checkout: Checkout;
beforeAll(async () => {
  checkout = await createCheckout();
});
afterAll(() => checkout.remove());

it(
  "what the functions would stop at stops the packaging",
  async () => {
    const wrong = { OPEN: "yes", FANOUT_INLINE_MAX: "-1", TOPIC_RULES: '[{"match":"a","days":1}]' };
    const { status, output } = await checkout.run(["package"], wrong);
    expect(status).toBe(1);
    expect(output).toMatch(/FANOUT_INLINE_MAX must be .*TOPIC_RULES\[0\]\.days is no part of a rule/);
    expect(output).not.toMatch(/^\s+at /m);
  },
  PACKAGING_MS,
);

it.each(["package", "deploy"])(
  "without OPEN=yes, `serverless %s` stops at a line that says so",
  async (command) => {
    const { status, output } = await checkout.run([command]);
    expect(status).toBe(1);
    expect(output).toMatch(/^.*There is no authentication yet.*set OPEN=yes.*$/m);
    expect(output).not.toMatch(/credential|^\s+at /im);
  },
  PACKAGING_MS,
);
