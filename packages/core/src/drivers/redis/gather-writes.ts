import type { Redis as Single } from "ioredis";

/**
 * Has a node sent what is written in one turn of the event loop as one, without waiting for more: of each command's time on this side most would go into a
 * system call of its own.
 */
export function gatherWrites(node: Single): void {
  node.on("connect", () => {
    const { stream } = node;
    const write: (...args: Parameters<typeof stream.write>) => boolean = stream.write.bind(stream);
    let isGathering = false;
    stream.write = (...args: unknown[]) => {
      if (!isGathering) {
        isGathering = true;
        stream.cork();
        process.nextTick(() => {
          isGathering = false;
          stream.uncork();
        });
      }
      return write(...(args as Parameters<typeof stream.write>));
    };
  });
}
