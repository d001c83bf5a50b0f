import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerProcess } from "./server-process.ts";

export interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly topics: number;
  readonly subscribersOfEach: number;
  /** Publishes of which not every subscriber has its message yet, at any moment. */
  readonly outstanding: number;
  readonly seconds: number;
}

export interface Measured {
  readonly deliveriesPerSecond: number;
  /** The share of one core that the load generator used: near 1 it is the bottleneck. */
  readonly generatorCpu: number;
  /** CPU seconds of the server in a million deliveries; undefined where the system doesn't tell. */
  readonly serverCpuPerMillion: number | undefined;
}

/** What the load generator tells. */
export type LoadEvent =
  | { readonly type: "publishing" }
  | {
      readonly type: "done";
      readonly deliveries: number;
      readonly elapsedSeconds: number;
      readonly cpuSeconds: number;
    }
  | { readonly type: "failed"; readonly message: string };

/** What it is asked to do. */
export interface LoadOrder {
  readonly url: string;
  readonly scenario: Scenario;
}

/** From this share of a core on, the generator is what was measured. */
export const GENERATOR_BOUND = 0.9;

const GENERATOR = fileURLToPath(new URL("./load-process.ts", import.meta.url));

/**
 * Has a process of its own subscribe the scenario's connections, and then publish as fast as deliveries arrive. Throws where one gets lost or
 * refused.
 */
export async function measure(server: ServerProcess, scenario: Scenario): Promise<Measured> {
  const child = fork(GENERATOR, { execArgv: ["--import", "tsx"] });
  child.send({ url: server.topicUrl, scenario } satisfies LoadOrder);
  await next(child, "publishing");
  const before = server.usage();
  const { deliveries, elapsedSeconds, cpuSeconds } = await next(child, "done");
  const after = server.usage();
  await once(child, "exit");
  const serverCpu = before && after && after.cpuSeconds - before.cpuSeconds;
  return {
    deliveriesPerSecond: deliveries / elapsedSeconds,
    generatorCpu: cpuSeconds / elapsedSeconds,
    serverCpuPerMillion: serverCpu && (serverCpu / deliveries) * 1e6,
  };
}

function next<T extends LoadEvent["type"]>(child: ChildProcess, type: T): Promise<Extract<LoadEvent, { type: T }>> {
  return new Promise((resolve, reject) => {
    child.once("message", (event: LoadEvent) => {
      if (event.type === type) resolve(event as Extract<LoadEvent, { type: T }>);
      else reject(new Error(event.type === "failed" ? event.message : `The load generator said ${event.type}.`));
    });
    child.once("exit", (code) => reject(new Error(`The load generator ended with ${code}.`)));
  });
}
