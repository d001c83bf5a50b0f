import { createRandom as createNumbers } from "@topicast/testing";

/** Numbers that a seed decides, so that a run can be replayed. */
export interface Random {
  /** A whole number from `min` to `max`. */
  between(min: number, max: number): number;
  chance(percent: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
  /** Begins anew. Each command does, so that leaving one out while shrinking changes little of what the others meet. */
  reseed(seed: number): void;
}

export function createRandom(seed: number): Random {
  let next = createNumbers(seed);

  const between = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));

  return {
    between,
    chance: (percent) => next() * 100 < percent,
    pick: <T>(list: readonly [T, ...T[]]) => list[between(0, list.length - 1)] as T,
    reseed(newSeed) {
      next = createNumbers(newSeed);
    },
  };
}
