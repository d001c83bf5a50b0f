import { describe, expect, it } from "@jest/globals";
import { formatSpread, percentileOf, slopeOf, spreadOf } from "../src/statistics.ts";

describe("statistics", () => {
  it("finds the middle and the ends", () => {
    expect(spreadOf([10, 9, 100, 1, 2])).toEqual({ median: 9, lowest: 1, highest: 100 });
    expect(() => spreadOf([])).toThrow("no values");
  });

  it("formats them", () => {
    expect(formatSpread({ median: 1234.5, lowest: 0.04, highest: 2000 }, 1)).toBe("1,234.5 (0.0 to 2,000.0)");
  });

  it("finds percentiles by nearest rank", () => {
    const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0, 50, 99, 99.5, 100].map((percent) => percentileOf(hundred, percent))).toEqual([1, 50, 99, 100, 100]);
    expect(percentileOf([7], 50)).toBe(7);
    expect(() => percentileOf([], 50)).toThrow("no values");
  });

  it("fits a line", () => {
    const points = [1, 2, 3, 4].map((x) => ({ x, y: 10 - 2 * x + (x % 2) }));
    expect(slopeOf(points)).toBeCloseTo(-2.2);
    expect(() => slopeOf(points.slice(0, 1))).toThrow("two points");
  });
});
