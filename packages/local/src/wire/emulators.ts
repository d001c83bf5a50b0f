import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { MessageChannel, Worker } from "node:worker_threads";

/** DynamoDB (dynalite) and SQS (fauxqs), both in memory, on free ports of the loopback interface. */
export interface Emulators {
  readonly dynamodbPort: number;
  readonly sqsPort: number;
  close(): Promise<void>;
}

const THREAD = fileURLToPath(new URL("./emulators-thread.mjs", import.meta.url));

/** How long the thread stays without a host: loading the emulators is most of what their start takes, and a test's host begins where another ended. */
const IDLE_MS = 2_000;

/** A thread that runs the emulators of so many hosts. */
interface Thread {
  readonly worker: Worker;
  hosts: number;
}

let current: Thread | undefined;

/**
 * Starts emulators for one host, in a thread that the hosts of this process share: they are loaded only where they are used, and what they throw doesn't
 * end the host. `onFailed` is called where the thread ends by itself.
 */
export async function startEmulators(onFailed: (error: Error) => void): Promise<Emulators> {
  current ??= startThread();
  const thread = enter(current);
  const { port1: port, port2: theirs } = new MessageChannel();
  const closed = once(port, "close");
  thread.worker.on("error", onFailed);
  thread.worker.postMessage(theirs, [theirs]);
  // What ends the thread before it answers closes the port.
  const [ports] = (await Promise.race([once(port, "message"), closed])) as [Omit<Emulators, "close">?];
  if (ports === undefined) throw new Error("DynamoDB and SQS didn't start.");
  return {
    ...ports,
    async close() {
      port.postMessage("close");
      await closed;
      thread.worker.off("error", onFailed);
      leave(thread);
    },
  };
}

function startThread(): Thread {
  // Not with the host's own options: a loader for TypeScript would only cost time.
  const thread = { worker: new Worker(THREAD, { execArgv: [] }), hosts: 0 };
  thread.worker.once("exit", () => {
    if (current === thread) current = undefined;
  });
  return thread;
}

function enter(thread: Thread): Thread {
  thread.hosts += 1;
  thread.worker.ref();
  return thread;
}

function leave(thread: Thread): void {
  thread.hosts -= 1;
  if (thread.hosts > 0) return;
  thread.worker.unref();
  setTimeout(() => endIdle(thread), IDLE_MS).unref();
}

function endIdle(thread: Thread): void {
  if (thread.hosts > 0) return;
  if (current === thread) current = undefined;
  void thread.worker.terminate();
}
