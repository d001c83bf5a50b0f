/** The middle of some numbers and their ends. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** Throws where there are none. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const [lowest] = sorted;
  const highest = sorted.at(-1);
  const median = sorted[sorted.length >> 1];
  if (lowest === undefined || highest === undefined || median === undefined) throw new Error("There are no values.");
  return { median, lowest, highest };
}

/** `median (lowest to highest)`, with some digits after the point. */
export function formatSpread({ median, lowest, highest }: Spread, digits = 0): string {
  const format = (value: number) =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${format(median)} (${format(lowest)} to ${format(highest)})`;
}

/** The value below or at which `percent` of them lie; they ascend. Throws where there are none. */
export function percentileOf(ascending: ArrayLike<number>, percent: number): number {
  const value = ascending[Math.max(0, Math.ceil((ascending.length * percent) / 100) - 1)];
  if (value === undefined) throw new Error("There are no values.");
  return value;
}

/** How much `y` grows for each `x`, by least squares. Throws where there are less than two points. */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  if (points.length < 2) throw new Error("A slope needs two points.");
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = meanOf(points.map(({ x }) => x));
  const meanY = meanOf(points.map(({ y }) => y));
  const covariance = meanOf(points.map(({ x, y }) => (x - meanX) * (y - meanY)));
  return covariance / meanOf(points.map(({ x }) => (x - meanX) ** 2));
}
