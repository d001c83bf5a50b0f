import type { FreezeGate } from "./freeze-gate.ts";

type Callback = (...parameters: unknown[]) => void;

export interface GatedTimers {
  /** What a handler sees under the global names. */
  readonly globals: {
    readonly setTimeout: (callback: Callback, delayMs?: number, ...parameters: unknown[]) => NodeJS.Timeout;
    readonly setInterval: (callback: Callback, delayMs?: number, ...parameters: unknown[]) => NodeJS.Timeout;
    readonly setImmediate: (callback: Callback, ...parameters: unknown[]) => NodeJS.Immediate;
    readonly clearTimeout: (timer: NodeJS.Timeout | undefined) => void;
    readonly clearInterval: (timer: NodeJS.Timeout | undefined) => void;
    readonly clearImmediate: (timer: NodeJS.Immediate | undefined) => void;
  };
  /** Ends every timer that is left. */
  clearAll(): void;
}

/**
 * Node's timers, except that one that is due while the gate is closed fires when it opens, an interval once. They hold no process open: the
 * host does that. Timers taken from `node:timers` and `node:timers/promises` are not gated. What a callback throws goes to `onUncaught`.
 */
export function createGatedTimers(gate: FreezeGate, onUncaught: (error: unknown) => void): GatedTimers {
  const timers = new Set<NodeJS.Timeout>();
  const stopWaiting = new Map<unknown, () => void>();

  function call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      onUncaught(error);
    }
  }

  function fire(timer: unknown, callback: () => void): void {
    if (stopWaiting.has(timer)) return;
    const stop = gate.whenOpen(() => {
      stopWaiting.delete(timer);
      call(callback);
    });
    if (!gate.isOpen) stopWaiting.set(timer, stop);
  }

  function forget(timer: unknown): void {
    stopWaiting.get(timer)?.();
    stopWaiting.delete(timer);
  }

  function clear(timer: NodeJS.Timeout | undefined): void {
    clearTimeout(timer);
    if (timer === undefined) return;
    timers.delete(timer);
    forget(timer);
  }

  const globals: GatedTimers["globals"] = {
    setTimeout(callback, delayMs, ...parameters) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        fire(timer, () => callback(...parameters));
      }, delayMs).unref();
      timers.add(timer);
      return timer;
    },
    setInterval(callback, delayMs, ...parameters) {
      const timer = setInterval(() => fire(timer, () => callback(...parameters)), delayMs).unref();
      timers.add(timer);
      return timer;
    },
    setImmediate(callback, ...parameters) {
      const timer = setImmediate(() => fire(timer, () => callback(...parameters)));
      return timer;
    },
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate(timer) {
      clearImmediate(timer);
      forget(timer);
    },
  };
  // `util.promisify(setTimeout)` asks for this.
  Object.defineProperty(globals.setTimeout, Symbol.for("nodejs.util.promisify.custom"), {
    value: (delayMs: number, value: unknown) =>
      new Promise((resolve) => globals.setTimeout(resolve as Callback, delayMs, value)),
  });

  return {
    globals,
    clearAll() {
      for (const timer of timers) clear(timer);
    },
  };
}
