import { describe, expect, it, jest } from "@jest/globals";
import { breakEven, dynamoDbDollars, keepingDollars, leastDollars, processingDollars } from "../src/churn/bill.ts";
import * as code from "../src/churn/code.ts";
import { ecpusOf, timesOf } from "../src/churn/ecpus.ts";
import { openMemory, openRedis } from "../src/churn/stores.ts";

/** A server is started. */
jest.setTimeout(20_000);

describe("a cycle", () => {
  it("takes twelve round trips and fifteen commands in Redis", async () => {
    const redis = await openRedis(code);
    const cycle = () => redis.measure((drivers) => code.runCycle(drivers, 1));
    // A server is sent each script's text once.
    await cycle();
    const { ecpus, ...taken } = await cycle();
    await redis.close();
    expect(taken).toEqual({ trips: 12, requests: 15 });
    expect(ecpus).toBeGreaterThanOrEqual(15);
  });

  it("leaves nobody behind", async () => {
    const { drivers } = await openMemory(code);
    await code.runCycle(drivers, 1);
    const query = { app: "default", topic: "churn/room/3", limit: 9, freshness: "fresh" } as never;
    expect((await drivers.connections.subscribers(query)).subscribers).toEqual([]);
  });
});

describe("processing units", () => {
  const times = timesOf(
    "# Commandstats\r\ncmdstat_get:calls=5,usec=10,usec_per_call=2.00,rejected_calls=0\r\ncmdstat_evalsha:calls=2,usec=24,usec_per_call=12.00\r\n",
  );

  it.each([
    ["one for a simple command", "get", 10, 1],
    ["one for each KB that it moves", "get", 2_560, 2.5],
    ["as many as it takes longer than a simple one", "evalsha", 10, 6],
    ["one for what wasn't timed", "hmget", 10, 1],
  ])("are %s", (_, name, bytes, units) => {
    expect(ecpusOf([{ name, bytes }], times)).toBe(units);
  });

  it("are unknown where no simple command was timed", () => {
    expect(() => ecpusOf([], timesOf(""))).toThrow("No get was timed.");
  });
});

describe("the bill of a million", () => {
  const taken = { trips: 1, requests: 1 };

  it("counts units and what is kept at their prices", () => {
    expect(dynamoDbDollars({ ...taken, readUnits: 2, writeUnits: 10 })).toBeCloseTo(6.5);
    expect(processingDollars({ ...taken, ecpus: 100 })).toBeCloseTo(0.23);
    const kept = { connectionBytes: 600, connectionHours: 0.5, messageBytes: 200, messageHours: 0.1 };
    expect(keepingDollars(kept)).toBeCloseTo(0.32 * 0.084);
    expect(leastDollars()).toBeCloseTo(6.13, 2);
  });

  it("says from where on a fixed sum pays", () => {
    expect(breakEven(6, 8, 5)).toBe(2);
    expect(breakEven(6, 5, 5)).toBe(Number.POSITIVE_INFINITY);
  });
});
