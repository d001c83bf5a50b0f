/** What a page of one store holds, by names that ascend. */
interface NamedPage<T> {
  readonly items: readonly T[];
  /** Present where more may follow: the name behind which that is. */
  readonly cursor?: string | undefined;
}

/**
 * One page of two, each of which begins behind the same name: of what both hold, `nameOf` its names, the first `limit`, and no further than either of them
 * was read. What both have is there once, as `better` chooses.
 */
export function mergePages<T>(
  pages: readonly NamedPage<T>[],
  nameOf: (item: T) => string,
  better: (one: T, other: T) => T,
  limit: number,
): NamedPage<T> {
  const readUpTo = least(pages.flatMap(({ cursor }) => (cursor === undefined ? [] : [cursor])));
  const found = new Map<string, T>();
  for (const item of pages.flatMap(({ items }) => items)) {
    const name = nameOf(item);
    const known = found.get(name);
    if (readUpTo === undefined || name <= readUpTo) found.set(name, known === undefined ? item : better(known, item));
  }
  const names = [...found.keys()].sort((one, other) => (one < other ? -1 : 1));
  const items = names.slice(0, limit).map((name) => found.get(name) as T);
  const cursor = names.length > limit ? names[limit - 1] : readUpTo;
  return { items, ...(cursor !== undefined && { cursor }) };
}

function least(texts: readonly string[]): string | undefined {
  return texts.reduce<string | undefined>((low, text) => (low === undefined || text < low ? text : low), undefined);
}
