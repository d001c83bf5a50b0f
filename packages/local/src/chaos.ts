import type { Arrivals, FrameKind, HostFaults } from "./faults.ts";
import { StartError } from "./start-error.ts";

/** A bad network, as somebody asked for it. */
export interface Chaos {
  /** For people: `drop 2 %, delay 50 to 400 ms`. */
  readonly description: string;
  /** What a host is to do; hand it over as `faults`. */
  readonly faults: HostFaults;
}

/** What one fault does, its amount known. */
interface Effect extends Pick<HostFaults, "request" | "cut"> {
  readonly frame?: (arrivals: Arrivals, kind: FrameKind) => Arrivals;
}

/** How often or how late a fault happens. */
interface Amount {
  readonly description: string;
  effect(random: () => number): Effect;
}

interface Fault {
  readonly name: string;
  readonly example: string;
  /** What an amount may be. */
  readonly amounts: string;
  /** What an amount says. */
  readonly means: string;
  /** `undefined` where the text is no amount. */
  parse(text: string): Amount | undefined;
}

const AT_ONCE: Arrivals = [0];
/** A minute is later than any network that a game can be played on. */
const MAX_DELAY_MS = 60_000;
/** As long as API Gateway keeps a connection. */
const MAX_LIFETIME_MS = 7_200_000;

/** Every fault there is, in the order in which they meet a frame: each copy of a doubled one is late by a time of its own. */
const FAULTS: readonly Fault[] = [
  percent("drop", "2", "of the frames to clients that never arrive, though a post is answered 200", (happens) => ({
    frame: (arrivals, kind) => (kind !== "request" && happens() ? [] : arrivals),
  })),
  percent("duplicate", "5", "of the posts that reach the client twice", (happens) => ({
    frame: (arrivals, kind) => (kind === "post" && happens() ? [...arrivals, ...arrivals] : arrivals),
  })),
  milliseconds("delay", "50..400", MAX_DELAY_MS, "by which each frame is late, to and from clients", (draw) => ({
    frame: (arrivals) => arrivals.map((arrivalMs) => arrivalMs + draw()),
  })),
  percent("throttle", "1", "of the posts (looks and closes too) that are refused with 429", (happens) => ({
    request: () => (happens() ? "throttled" : undefined),
  })),
  milliseconds("cut", "20000..60000", MAX_LIFETIME_MS, "after which each connection breaks", (draw) => ({ cut: draw })),
];

const EXAMPLE = FAULTS.map(({ name, example }) => `${name}=${example}`).join(",");

/** The faults there are, a line each, as `--help` prints them. */
export const CHAOS_HELP = [
  "Faults for --chaos, any of them, with commas between:",
  ...FAULTS.map(({ name, example, means }) => `  ${`${name}=${example}`.padEnd(20)} ${means}`),
].join("\n");

/**
 * Reads `drop=2,delay=50..400`. Throws a {@link StartError} that lists the faults there are where one is unknown, named twice, or its amount
 * is none. `random` is as `Math.random`.
 */
export function parseChaos(text: string, random: () => number = Math.random): Chaos {
  const amounts = new Map<string, Amount>();
  for (const entry of text.split(",")) {
    const [name = "", ...amount] = entry.trim().split("=");
    const fault = FAULTS.find((candidate) => candidate.name === name);
    if (fault === undefined)
      throw refuse(name === "" ? "a fault is missing" : `there is no fault ${JSON.stringify(name)}`);
    if (amounts.has(name)) throw refuse(`${name} is there twice`);
    const parsed = fault.parse(amount.join("="));
    if (parsed === undefined) throw refuse(`${JSON.stringify(entry.trim())} is not ${fault.amounts}`);
    amounts.set(name, parsed);
  }
  const asked = FAULTS.flatMap(({ name }) => amounts.get(name) ?? []);
  return {
    description: [...amounts].map(([name, { description }]) => `${name} ${description}`).join(", "),
    faults: joinEffects(asked.map((amount) => amount.effect(random))),
  };
}

function refuse(fault: string): StartError {
  const all = FAULTS.map(({ name, amounts }) => `${name} (${amounts})`).join(", ");
  return new StartError(`--chaos: ${fault}; there are ${all}, such as ${EXAMPLE}`);
}

function joinEffects(effects: readonly Effect[]): HostFaults {
  const { frame: _, ...others }: Effect = Object.assign({}, ...effects);
  return {
    ...others,
    frame: (_service, _connectionId, kind) =>
      effects.reduce((arrivals, { frame }) => frame?.(arrivals, kind) ?? arrivals, AT_ONCE),
  };
}

function percent(name: string, example: string, share: string, effect: (happens: () => boolean) => Effect): Fault {
  return {
    name,
    example,
    amounts: "per cent, 0 to 100",
    means: `per cent ${share}`,
    parse(text) {
      const perCent = Number(text);
      if (!/^\d+(\.\d+)?$/.test(text) || perCent > 100) return undefined;
      return { description: `${perCent} %`, effect: (random) => effect(() => random() * 100 < perCent) };
    },
  };
}

/** One number, or a range of which any time is as likely. */
function milliseconds(
  name: string,
  example: string,
  maxMs: number,
  time: string,
  effect: (draw: () => number) => Effect,
): Fault {
  return {
    name,
    example,
    amounts: `ms, 0 to ${maxMs}, or a range such as ${example}`,
    means: `ms ${time}`,
    parse(text) {
      const [, from, to = from] = /^(\d+)(?:\.\.(\d+))?$/.exec(text) ?? [];
      const [fromMs, toMs] = [Number(from), Number(to)];
      if (from === undefined || fromMs > toMs || toMs > maxMs) return undefined;
      const description = fromMs === toMs ? `${fromMs} ms` : `${fromMs} to ${toMs} ms`;
      return { description, effect: (random) => effect(() => Math.round(fromMs + random() * (toMs - fromMs))) };
    },
  };
}
