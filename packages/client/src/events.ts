import type { Off } from "./types.ts";

// biome-ignore lint/suspicious/noExplicitAny: each event's listeners are typed where applications add them
type Listener = (...values: any[]) => void;

export interface Events {
  on(event: string, listener: Listener): Off;
  /**
   * Calls every listener, and tells how many there were. What one throws is reported as an unhandled rejection, and keeps nothing from the others.
   */
  emit(event: string, ...values: unknown[]): number;
  /** The listeners of one event. */
  of(event: string): Set<Listener>;
}

export function createEvents(): Events {
  const listeners: Record<string, Set<Listener>> = {};

  function of(event: string): Set<Listener> {
    listeners[event] ??= new Set();
    return listeners[event];
  }

  return {
    of,
    on(event, listener) {
      of(event).add(listener);
      return () => void of(event).delete(listener);
    },
    emit(event, ...values) {
      const called = [...of(event)];
      for (const listener of called) void (async () => listener(...values))();
      return called.length;
    },
  };
}
