/**
 * Whether what runs in an execution environment may go on. It is open while an invocation runs and closed between them: Lambda
 * freezes an environment whose handler returned, and thaws it for the next one.
 */
export interface FreezeGate {
  readonly isOpen: boolean;
  /** An invocation begins: what waited goes on. */
  enter(): void;
  /** An invocation ends. */
  leave(): void;
  /** From now on no invocation begins: once the running ones have ended, what waits never goes on, and `onFrozen` is called. */
  retire(onFrozen: () => void): void;
  /** Calls back when open: now, with the next invocation, or never. Returns how to stop waiting. */
  whenOpen(callback: () => void): () => void;
}

export function createFreezeGate(): FreezeGate {
  let running = 0;
  let freezeForGood: (() => void) | undefined;
  const waiting = new Set<() => void>();

  return {
    get isOpen() {
      return running > 0;
    },
    enter() {
      running += 1;
      // One by one: what one calls may keep the next from being called.
      for (const callback of waiting) {
        waiting.delete(callback);
        callback();
      }
    },
    leave() {
      running -= 1;
      if (running === 0) freezeForGood?.();
    },
    retire(onFrozen) {
      freezeForGood = () => {
        waiting.clear();
        onFrozen();
      };
      if (running === 0) freezeForGood();
    },
    whenOpen(callback) {
      if (running > 0) callback();
      else if (freezeForGood === undefined) waiting.add(callback);
      return () => waiting.delete(callback);
    },
  };
}

type AsyncFunction = (...parameters: never[]) => Promise<unknown>;

/** The same function, except that it neither starts nor answers while the gate is closed. */
export function gateAsync<T extends AsyncFunction>(gate: FreezeGate, call: T): T {
  const opened = () => new Promise<void>((resolve) => void gate.whenOpen(resolve));
  const gated = async (...parameters: Parameters<T>) => {
    while (!gate.isOpen) await opened();
    try {
      return await call(...parameters);
    } finally {
      while (!gate.isOpen) await opened();
    }
  };
  return gated as T;
}

/** The same port, each method gated as by {@link gateAsync}. */
export function gatePort<T extends object>(gate: FreezeGate, port: T): T {
  const gated = new Map<PropertyKey, AsyncFunction>();
  return new Proxy(port, {
    get(target, name) {
      const known = gated.get(name);
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      const method = gateAsync(gate, value.bind(target) as AsyncFunction);
      gated.set(name, method);
      return method;
    },
  });
}
