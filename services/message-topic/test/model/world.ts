import type { MemoryQueue } from "@topicast/core/memory";
import { type Api, createApi } from "./api.ts";
import { type Client, createClient } from "./client.ts";
import { type EventSource, MAX_RECEIVES, startEventSource } from "./event-source.ts";
import { createFaults, type Faults } from "./faults.ts";
import { createGateway } from "./gateway.ts";
import { createJournal, type Journal } from "./journal.ts";
import { type CallPort, createLambda, type Lambda } from "./lambda.ts";
import { createPorts } from "./ports.ts";
import { createPublisher, type Publisher } from "./publisher.ts";
import { createRandom, type Random } from "./random.ts";
import type { Nature } from "./stores.ts";
import type { System } from "./system.ts";
import { createVirtualTime, type VirtualTime } from "./virtual-time.ts";
import { createWatch, type Watch } from "./watch.ts";

const START = Date.UTC(2026, 0, 1);
const CLIENTS = 5;

/** One run's service, with its clients and all that may go wrong between them. */
export interface World {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly watch: Watch;
  readonly clients: readonly Client[];
  readonly publisher: Publisher;
  readonly queue: MemoryQueue;
  readonly lambda: Lambda;
  readonly api: Api;
  readonly eventSource: EventSource;
  /** Lets go of what keeps its connections and logs. */
  close(): void;
}

/** The seed decides everything that a command doesn't. */
export function createWorld(system: System, seed: number): World {
  const time = createVirtualTime(START);
  const random = createRandom(seed);
  const faults = createFaults({ time, random });
  const watch = createWatch(time.now);
  const journal = createJournal();
  const drivers = createDrivers(system, { time, random, faults });
  const gateway = createGateway({ time, random, faults, watch });
  const callPort: CallPort = createPorts({ time, random, faults, watch, gateway, drivers });
  const lambda = createLambda({ system, time, faults, callPort });
  const eventSource = startEventSource({ queue: drivers.queue, lambda, time, random, faults, watch });
  const api = createApi({ gateway, lambda, time, random, faults });
  const network = { api, time, random, journal };
  const clients = Array.from({ length: CLIENTS }, (_, index) => createClient({ ...network, name: `client-${index}` }));
  return {
    time,
    random,
    faults,
    journal,
    watch,
    clients,
    publisher: createPublisher(network),
    queue: drivers.queue,
    lambda,
    api,
    eventSource,
    close: drivers.close,
  };
}

function createDrivers(system: System, nature: Nature) {
  const environment = system.take();
  const { exports: drivers } = environment;
  system.giveBack(environment);
  const queue = drivers.createMemoryQueue({ clock: nature.time, maxReceiveCount: MAX_RECEIVES });
  return { ...system.openStores(drivers, nature), queue };
}
