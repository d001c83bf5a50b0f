/*
 * Imported into a server of Node that runs with `--expose-gc` and a channel to who measures it: when asked, it collects its garbage, and answers how many
 * bytes remain.
 */

process.on("message", () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.(heapUsed + external);
});
// It's no reason to stay.
process.channel?.unref();
