import type { Death, Faults } from "./faults.ts";
import type { FunctionName, PortName, System } from "./system.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** As `serverless.yml` has them. */
const TIMEOUT_MS: Readonly<Partial<Record<FunctionName, number>>> = { publish: 20_000, http: 20_000, deliver: 30_000 };
const DEFAULT_TIMEOUT_MS = 10_000;

export interface Invocation {
  readonly id: number;
  readonly event: unknown;
  /** Nothing that it waits for comes any more. */
  isDead: boolean;
  die(): void;
}

/** Most calls take a little longer, and posts to several are half done by then. */
const DYING_MS = 4;

export interface Lambda {
  /** What the handler returns; undefined where it died, took too long or threw. */
  invoke(name: FunctionName, event: unknown): Promise<unknown>;
  /** Invocations that run. */
  readonly running: number;
}

export type CallPort = (
  invocation: Invocation,
  port: PortName,
  method: string,
  args: readonly unknown[],
) => Promise<unknown>;

export interface LambdaOptions {
  readonly system: System;
  readonly time: VirtualTime;
  readonly faults: Faults;
  readonly callPort: CallPort;
}

/** Runs the handlers: each invocation in an environment of its own, until it answers, is killed at one of its calls, or runs out of time. */
export function createLambda({ system, time, faults, callPort }: LambdaOptions): Lambda {
  let lastId = 0;
  let running = 0;

  function start(name: FunctionName, event: unknown, resolve: (answer: unknown) => void): void {
    const environment = system.take();
    const deadline = time.now() + (TIMEOUT_MS[name] ?? DEFAULT_TIMEOUT_MS);
    let isOver = false;
    const end = (answer: unknown) => {
      if (isOver) return;
      isOver = true;
      running -= 1;
      timeout.cancel();
      resolve(answer);
      // Later: what of a dead invocation still runs in this moment must not meet the next one.
      time.after(1, () => system.giveBack(environment));
    };
    lastId += 1;
    running += 1;
    const invocation: Invocation = {
      id: lastId,
      event,
      isDead: false,
      die() {
        invocation.isDead = true;
        end(undefined);
      },
    };
    const timeout = time.after(deadline - time.now(), invocation.die);
    const call = mortal(invocation, faults.deathOf(name), time);
    environment.platform = {
      now: time.now,
      sleep: (ms) => call(() => time.sleep(ms)),
      call: (port, method, args) => call(() => callPort(invocation, port, method, args)),
    };
    const handler = environment.exports[name] as (event: unknown, context: unknown) => Promise<unknown>;
    const context = { getRemainingTimeInMillis: () => deadline - time.now() };
    // A handler that throws is answered for by the platform, as one that died.
    handler(event, context).then(end, () => end(undefined));
  }

  return {
    invoke: (name, event) => new Promise((resolve) => start(name, event, resolve)),
    get running() {
      return running;
    },
  };
}

/** Wraps the calls of an invocation, so that it can die at one of them: then the call never comes back. */
function mortal(invocation: Invocation, death: Death | undefined, time: VirtualTime) {
  let calls = 0;
  return <T>(run: () => Promise<T>): Promise<T> => {
    calls += 1;
    const side = calls === death?.atCall ? death.side : undefined;
    if (side === "before") invocation.die();
    if (invocation.isDead) return new Promise(() => {});
    if (side === "during") time.after(DYING_MS, invocation.die);
    return new Promise((resolve, reject) => {
      const goOn = (settle: () => void) => {
        if (side === "after") invocation.die();
        if (!invocation.isDead) settle();
      };
      run().then(
        (value) => goOn(() => resolve(value)),
        (error) => goOn(() => reject(error)),
      );
    });
  };
}
