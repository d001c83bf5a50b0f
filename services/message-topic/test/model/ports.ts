import { type Job, UnavailableError } from "@topicast/core";
import type { Faults } from "./faults.ts";
import type { Gateway } from "./gateway.ts";
import type { Invocation } from "./lambda.ts";
import type { Random } from "./random.ts";
import type { PortName } from "./system.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Watch } from "./watch.ts";

type Driver = Record<string, (...args: never[]) => Promise<unknown>>;

export interface PortsOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
  readonly watch: Watch;
  readonly gateway: Gateway;
  readonly drivers: { readonly connections: object; readonly log: object; readonly queue: object };
}

/** The longest that a call takes to have its effect, and to be answered then. */
export const LATENCY_MS = 12;

/** The ports as a handler has them: memory drivers at the end of a network that is slow and fails. */
export function createPorts({ time, random, faults, watch, gateway, drivers }: PortsOptions) {
  return async (invocation: Invocation, port: PortName, method: string, args: readonly unknown[]): Promise<unknown> => {
    const isSlowFirst = random.chance(50);
    if (isSlowFirst) await time.sleep(random.between(1, LATENCY_MS));
    if (invocation.isDead) return undefined;
    if (port === "gateway") return gateway.call(invocation, method, args);
    const part = port === "queue" ? "queue" : "store";
    if (faults.hits(`${part} throttled`)) throw new UnavailableError(part, "Throttled.");
    const isLate = faults.hits(`${part} answers late`);
    const answer = await effect(invocation, port, method, args);
    if (isLate) {
      watch.lineages.taint(invocation);
      await time.sleep(random.between(500, 3_000));
      throw new UnavailableError(part, "No answer in time.");
    }
    if (!isSlowFirst) await time.sleep(random.between(1, LATENCY_MS));
    return answer;
  };

  async function effect(
    invocation: Invocation,
    port: Exclude<PortName, "gateway">,
    method: string,
    args: readonly unknown[],
  ) {
    const driver = drivers[port] as Driver;
    const given = method === "send" ? [watch.sends(invocation, args[0] as readonly Job[]), args[1]] : args;
    const answer = await driver[method]!(...(given as never[]));
    watch.done(invocation, port, method, args, answer);
    return answer;
  }
}
