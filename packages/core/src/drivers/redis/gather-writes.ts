import type { Redis as Single } from "ioredis";

/** Commands that wait for one another: with more the server would have nothing to do while we make them, and we nothing while it answers. */
const MOST_AT_ONCE = 32;

/**
 * Has a node sent what is written in one turn of the event loop as one text, without waiting for more: of each command's time on this side most would go into a
 * system call of its own, and a stream that is given many texts takes nearly as long to keep and to join them.
 */
export function gatherWrites(node: Single): void {
  node.on("connect", () => {
    const { stream } = node;
    const write: (...args: Parameters<typeof stream.write>) => boolean = stream.write.bind(stream);
    let text = "";
    let gathered = 0;

    function flush(): void {
      if (gathered === 0) return;
      const all = text;
      text = "";
      gathered = 0;
      // What was given up meanwhile has been answered so.
      if (stream.writable) write(all);
    }

    stream.write = (...args: unknown[]) => {
      const [piece, ...rest] = args;
      if (typeof piece !== "string" || rest.length > 0) {
        flush();
        return write(...(args as Parameters<typeof stream.write>));
      }
      if (gathered === 0) process.nextTick(flush);
      text += piece;
      gathered += 1;
      if (gathered === MOST_AT_ONCE) flush();
      return true;
    };
  });
}
