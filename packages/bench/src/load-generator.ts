import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { forkChild } from "./children.ts";
import type { LoadAnswer, LoadOrder, LoadResults, Took } from "./load-orders.ts";

/** From this share of a core on, the generator is what was measured. */
export const GENERATOR_BOUND = 0.9;

const PROCESS = fileURLToPath(new URL("./load-process.ts", import.meta.url));

type Done = Extract<LoadAnswer, { type: "done" }>;

/** The load generator, a process of its own. */
export interface LoadGenerator {
  /** Resolves when it's done. Rejects where a request is refused, a connection or a delivery lost, or one comes twice. */
  run<T extends LoadOrder["type"]>(order: Extract<LoadOrder, { type: T }>): Promise<Took & LoadResults[T]>;
  /** Takes its connections away. */
  stop(): Promise<void>;
}

export function startLoadGenerator(): LoadGenerator {
  const child = forkChild(PROCESS);
  const exited = once(child, "exit");
  const answers = createAnswers(child);
  return {
    async run<T extends LoadOrder["type"]>(order: Extract<LoadOrder, { type: T }>) {
      child.send(order);
      const { took, result } = await answers.next();
      return { ...took, ...(result as LoadResults[T]) };
    },
    async stop() {
      child.kill();
      await exited;
    },
  };
}

/** A failure between two orders is the next one's answer. */
function createAnswers(child: ReturnType<typeof forkChild>) {
  let failure: Error | undefined;
  let pending: { resolve(answer: Done): void; reject(error: Error): void } | undefined;

  function failed(error: Error): void {
    failure = error;
    pending?.reject(error);
  }

  child.once("exit", () => failed(new Error("The load generator ended.")));
  child.on("message", (answer: LoadAnswer) => {
    if (answer.type === "done") pending?.resolve(answer);
    else failed(new Error(answer.message));
  });
  return {
    next(): Promise<Done> {
      return new Promise((resolve, reject) => {
        pending = { resolve, reject };
        if (failure !== undefined) reject(failure);
      });
    },
  };
}
