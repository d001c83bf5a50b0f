import type { Clock } from "@topicast/core";

export interface Timer {
  cancel(): void;
}

/** Time that passes only where a test lets it, with timers as cheap as a run of thousands needs them. */
export interface VirtualTime extends Clock {
  after(ms: number, run: () => void): Timer;
  /** Lets time pass. Everything that falls due happens at its own time, and what it sets going is done as far as it can be before time goes on. */
  advance(ms: number): Promise<void>;
  /** Time stands still until this is settled: it is done outside, and takes none. Returns it. */
  during<T>(work: Promise<T>): Promise<T>;
}

/** A hundred times what a run usually needs. */
const MAX_EVENTS = 500_000;

interface Entry extends Timer {
  readonly dueAt: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export function createVirtualTime(start: number): VirtualTime {
  let now = start;
  let lastOrder = 0;
  let events = 0;
  const heap: Entry[] = [];
  const outside = new Set<Promise<unknown>>();

  function after(ms: number, run: () => void): Timer {
    lastOrder += 1;
    const entry: Entry = {
      dueAt: now + Math.max(0, Math.ceil(ms)),
      order: lastOrder,
      run,
      cancel() {
        entry.run = undefined;
      },
    };
    push(heap, entry);
    return entry;
  }

  /** Resolves when no promise can go on without a timer. */
  async function drain(): Promise<void> {
    await turn();
    while (outside.size > 0) {
      await Promise.allSettled(outside);
      await turn();
    }
  }

  return {
    now: () => now,
    after,
    during(work) {
      outside.add(work);
      const isOver = () => outside.delete(work);
      work.then(isOver, isOver);
      return work;
    },
    sleep: (ms) => new Promise((resolve) => after(ms, resolve)),
    async advance(ms) {
      const end = now + ms;
      await drain();
      for (let next = heap[0]; next !== undefined && next.dueAt <= end; next = heap[0]) {
        pop(heap);
        if (next.run === undefined) continue;
        now = next.dueAt;
        events += 1;
        if (events > MAX_EVENTS)
          throw new Error(`More than ${MAX_EVENTS} things happened in this run: something goes in circles.`);
        next.run();
        // Those of one millisecond go together: a drain for each would be most of the time that a run takes.
        if (heap[0]?.dueAt !== now) await drain();
      }
      now = end;
    },
  };
}

/** Resolves when no promise can go on by itself. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.order < other.order);
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length;
  heap.push(entry);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!isBefore(entry, heap[parent]!)) break;
    heap[index] = heap[parent]!;
    index = parent;
  }
  heap[index] = entry;
}

/** Removes the first. */
function pop(heap: Entry[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
    if (child >= heap.length || !isBefore(heap[child]!, last)) break;
    heap[index] = heap[child]!;
    index = child;
  }
  heap[index] = last;
}
