import type { Random } from "./random.ts";
import type { FunctionName } from "./system.ts";
import type { VirtualTime } from "./virtual-time.ts";

export const FAULTS = [
  "post gone while young",
  "post throttled",
  "post failed",
  "post hangs",
  "post lost",
  "post lost on a dead socket",
  "frames late",
  "store throttled",
  "store answers late",
  "queue throttled",
  "queue answers late",
  "append pauses",
  "append dies",
  "jobs late",
  "jobs twice",
  "worker dies",
  "disconnect unnoticed",
] as const;
export type Fault = (typeof FAULTS)[number];

/** An invocation ends at its nth call of a port: before it begins, while it is under way, or when it is done and before the answer. */
export interface Death {
  readonly atCall: number;
  readonly side: (typeof SIDES)[number];
}

export const SIDES = ["before", "during", "after"] as const;

/** What goes wrong, and how often. Nothing does unless it is armed. */
export interface Faults {
  arm(fault: Fault, forMs: number, percent: number): void;
  hits(fault: Fault): boolean;
  /** The next invocations of a function die. */
  doom(name: FunctionName, death: Death, count: number): void;
  deathOf(name: FunctionName): Death | undefined;
  /** All goes well from now on. */
  end(): void;
}

export function createFaults({ time, random }: { time: VirtualTime; random: Random }): Faults {
  const armed = new Map<Fault, { readonly until: number; readonly percent: number }>();
  const doomed = new Map<FunctionName, Death[]>();

  const hits = (fault: Fault) => {
    const entry = armed.get(fault);
    return entry !== undefined && time.now() < entry.until && random.chance(entry.percent);
  };

  return {
    arm(fault, forMs, percent) {
      armed.set(fault, { until: time.now() + forMs, percent });
    },
    hits,
    doom(name, death, count) {
      doomed.set(
        name,
        Array.from({ length: count }, () => death),
      );
    },
    deathOf(name) {
      const death = doomed.get(name)?.pop();
      if (death !== undefined || name !== "deliver" || !hits("worker dies")) return death;
      return { atCall: random.between(1, 6), side: random.pick(SIDES) };
    },
    end() {
      armed.clear();
      doomed.clear();
    },
  };
}
