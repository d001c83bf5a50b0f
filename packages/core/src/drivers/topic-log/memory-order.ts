interface Link<T> {
  readonly item: T;
  before: Link<T> | undefined;
  after: Link<T> | undefined;
}

/**
 * Items in the order in which they were touched. Every step takes the same time however many there are; the first entry of a `Map` doesn't:
 * to find it, the holes of all that were deleted before it are walked over.
 */
export interface Order<T> {
  readonly oldest: T | undefined;
  /** Puts an item at the end, whether it is there or not. */
  touch(item: T): void;
  /** Whether it was there. */
  delete(item: T): boolean;
}

export function createOrder<T>(): Order<T> {
  const links = new Map<T, Link<T>>();
  let first: Link<T> | undefined;
  let last: Link<T> | undefined;

  function unlink({ before, after }: Link<T>): void {
    if (before === undefined) first = after;
    else before.after = after;
    if (after === undefined) last = before;
    else after.before = before;
  }

  return {
    get oldest() {
      return first?.item;
    },

    touch(item) {
      const known = links.get(item);
      if (known !== undefined && known === last) return;
      const link: Link<T> = known ?? { item, before: undefined, after: undefined };
      if (known === undefined) links.set(item, link);
      else unlink(known);
      link.before = last;
      link.after = undefined;
      if (last === undefined) first = link;
      else last.after = link;
      last = link;
    },

    delete(item) {
      const link = links.get(item);
      if (link === undefined) return false;
      unlink(link);
      return links.delete(item);
    },
  };
}
