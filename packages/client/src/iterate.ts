import type { Off } from "./types.ts";

/** What `listen` has put, in order, until that is nothing, or an error, which is thrown. */
export async function* iterate<T extends object>(
  listen: (put: (value: T | Error | undefined) => void) => Off[],
): AsyncGenerator<T, void, undefined> {
  const queue: (T | Error | undefined)[] = [];
  let wake = () => {};
  const offs = listen((value) => {
    queue.push(value);
    wake();
  });
  try {
    for (;;) {
      while (!queue.length) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const next = queue.shift();
      if (!next) return;
      if (next instanceof Error) throw next;
      yield next;
    }
  } finally {
    for (const off of offs) off();
  }
}
