import type { Redis as Single } from "ioredis";

/** Commands that wait for one another: with more the server would have nothing to do while we make them, and we nothing while it answers. */
const MOST_AT_ONCE = 32;

/**
 * Has a node sent what is written in one turn of the event loop as one, without waiting for more: of each command's time on this side most would go into a
 * system call of its own.
 */
export function gatherWrites(node: Single): void {
  node.on("connect", () => {
    const { stream } = node;
    const write: (...args: Parameters<typeof stream.write>) => boolean = stream.write.bind(stream);
    let gathered = 0;

    function gather(): void {
      if (gathered === 0) {
        stream.cork();
        process.nextTick(() => {
          gathered = 0;
          stream.uncork();
        });
      } else if (gathered % MOST_AT_ONCE === 0) {
        stream.uncork();
        stream.cork();
      }
      gathered += 1;
    }

    stream.write = (...args: unknown[]) => {
      gather();
      return write(...(args as Parameters<typeof stream.write>));
    };
  });
}
