import { describe, expect, it } from "@jest/globals";
import { createLedger, type Ledger, type Membership } from "../src/soak/ledger.ts";

const TOPIC = "soak/1";

function publish(ledger: Ledger, count: number): void {
  for (let index = 0; index < count; index++) ledger.publish(TOPIC);
}

function receive(membership: Membership, ...numbers: number[]): void {
  for (const number of numbers) membership.received(number);
}

/** One who subscribed when three had been published, and four more followed. */
function joined() {
  const ledger = createLedger();
  publish(ledger, 3);
  const membership = ledger.join(TOPIC);
  membership.subscribed();
  publish(ledger, 4);
  return { ledger, membership };
}

describe("a soak's ledger", () => {
  it("is content with all that follows, and with what was under way when it subscribed", () => {
    for (const numbers of [
      [4, 5, 6, 7],
      [2, 3, 4, 5, 6, 7],
    ]) {
      const { ledger, membership } = joined();
      receive(membership, ...numbers);
      expect(membership.isComplete()).toBe(true);
      expect(ledger).toMatchObject({ published: 7, deliveries: numbers.length, doubled: 0 });
      expect(ledger.lost()).toBe(0);
    }
  });

  it.each([
    ["at the beginning", [5, 6, 7], 1],
    ["in the middle", [4, 7], 2],
    ["at the end", [4, 5], 2],
    ["from before it subscribed to after", [2, 4, 5, 6, 7], 1],
    ["altogether", [], 4],
  ])("finds what is lost %s", (_, numbers, lost) => {
    const { ledger, membership } = joined();
    receive(membership, ...numbers);
    expect(ledger.lost()).toBe(lost);
    expect(ledger.doubled).toBe(0);
  });

  it("finds what comes twice, or late", () => {
    const { ledger, membership } = joined();
    receive(membership, 4, 4, 5, 7, 6);
    expect(ledger.doubled).toBe(2);
    expect(ledger.lost()).toBe(1);
  });

  it("takes what comes before it knows that it subscribed", () => {
    const ledger = createLedger();
    publish(ledger, 5);
    const membership = ledger.join(TOPIC);
    receive(membership, 4);
    membership.subscribed();
    expect(ledger.lost()).toBe(1);
    receive(membership, 5);
    expect(ledger.lost()).toBe(0);
    expect(membership.isComplete()).toBe(true);
  });

  it("isn't complete before it subscribed, and has no demands after it left", () => {
    const ledger = createLedger();
    const membership = ledger.join(TOPIC);
    expect(membership.isComplete()).toBe(false);
    membership.subscribed();
    publish(ledger, 2);
    membership.leave();
    receive(membership, 2);
    expect(ledger.lost()).toBe(0);
    expect(ledger.deliveries).toBe(0);
  });
});
