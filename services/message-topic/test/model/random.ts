/** Numbers that a seed decides, so that a run can be replayed. */
export interface Random {
  /** A whole number from `min` to `max`. */
  between(min: number, max: number): number;
  chance(percent: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
  /** Begins anew. Each command does, so that leaving one out while shrinking changes little of what the others meet. */
  reseed(seed: number): void;
}

/** Mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed | 0;

  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  const between = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));

  return {
    between,
    chance: (percent) => next() * 100 < percent,
    pick: <T>(list: readonly [T, ...T[]]) => list[between(0, list.length - 1)] as T,
    reseed(newSeed) {
      state = newSeed | 0;
    },
  };
}
