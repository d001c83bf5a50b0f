import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

/** DynamoDB (dynalite) and SQS (fauxqs), both in memory, on free ports of the loopback interface. */
export interface Emulators {
  readonly dynamodbPort: number;
  readonly sqsPort: number;
  close(): Promise<void>;
}

const THREAD = fileURLToPath(new URL("./emulators-thread.mjs", import.meta.url));

/**
 * Starts the emulators in a thread of their own: they are loaded only where they are used, what they throw doesn't end the host, and
 * ending the thread ends all that they hold. `onFailed` is called where the thread ends by itself.
 */
export async function startEmulators(onFailed: (error: Error) => void): Promise<Emulators> {
  // Not with the host's own options: a loader for TypeScript would only cost time.
  const thread = new Worker(THREAD, { execArgv: [] });
  const [ports] = (await once(thread, "message")) as [Omit<Emulators, "close">];
  thread.on("error", onFailed);
  return {
    ...ports,
    async close() {
      await thread.terminate();
    },
  };
}
