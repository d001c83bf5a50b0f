/** One client's time with a topic, from subscribing until it leaves. */
export interface Membership {
  /** It is subscribed: from now on nothing may be missed. */
  subscribed(): void;
  /** A message came; those of a topic count 1, 2, 3, … */
  received(number: number): void;
  /** What comes from now on doesn't concern it any more. */
  leave(): void;
  /** Whether it has everything. */
  isComplete(): boolean;
}

/** Knows what was published, and so what was lost. */
export interface Ledger {
  /** The number of the topic's next message, which is published now. */
  publish(topic: string): number;
  join(topic: string): Membership;
  readonly published: number;
  readonly deliveries: number;
  /** Those that came twice, or behind a later one. */
  readonly doubled: number;
  /** Those that were passed over, and those that members who didn't leave still miss. */
  lost(): number;
}

export function createLedger(): Ledger {
  /** The newest number of each topic. */
  const newest = new Map<string, number>();
  const members = new Set<{ missing(): number }>();
  let published = 0;
  let deliveries = 0;
  let doubled = 0;
  let skipped = 0;

  function join(topic: string): Membership {
    const newestNow = () => newest.get(topic) ?? 0;
    /** Everything behind it has to come; undefined before it subscribed. */
    let last: number | undefined;
    let hasReceived = false;
    const member = { missing: () => (last === undefined ? 0 : newestNow() - last) };
    members.add(member);

    /** Its first one may be older than that: it was published, and perhaps not yet numbered, when it subscribed. */
    function expectedInsteadOf(number: number): number {
      if (last === undefined) return number;
      return hasReceived ? last + 1 : Math.min(last + 1, number);
    }

    return {
      subscribed() {
        last ??= newestNow();
      },
      received(number) {
        if (!members.has(member)) return;
        deliveries += 1;
        const expected = expectedInsteadOf(number);
        if (number < expected) {
          doubled += 1;
          return;
        }
        skipped += number - expected;
        last = number;
        hasReceived = true;
      },
      leave: () => void members.delete(member),
      isComplete: () => last !== undefined && member.missing() === 0,
    };
  }

  return {
    publish(topic) {
      const number = (newest.get(topic) ?? 0) + 1;
      newest.set(topic, number);
      published += 1;
      return number;
    },
    join,
    get published() {
      return published;
    },
    get deliveries() {
      return deliveries;
    },
    get doubled() {
      return doubled;
    },
    lost: () => [...members].reduce((sum, { missing }) => sum + missing(), skipped),
  };
}
