import { join } from "node:path";
import { Script } from "node:vm";
import { EMBEDDED_PORTS, type EmbeddedPorts } from "@topicast/core/embedded";
import type { Context } from "aws-lambda";
import type { Bundle } from "./bundle.ts";
import { createFreezeGate, type FreezeGate, gateAsync, gatePort } from "./freeze-gate.ts";
import { createGatedTimers } from "./gated-timers.ts";
import { createOwnSockets } from "./own-sockets.ts";

export type Handler = (event: unknown, context: Context) => unknown;

export interface ExecutionEnvironmentOptions {
  readonly bundle: Bundle;
  /** What `require` is relative to; only Node's own modules are asked for, as everything else is in the bundle. */
  readonly folder: string;
  readonly handlerExport: string;
  /** All that the handler sees of `process.env`. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Absent where the handler has SDK clients instead. */
  readonly ports?: EmbeddedPorts;
  /** What a timer's callback throws: no invocation answers for it. */
  readonly onUncaught: (error: unknown) => void;
}

export interface RunningInvocation {
  /** What the handler returns; rejects with what it throws. */
  readonly result: Promise<unknown>;
  /** It took too long: from now on it keeps nothing thawed. */
  abandon(): void;
}

/**
 * An evaluated bundle, as a warm Lambda has it. Its ports, timers and `fetch` stand still unless an invocation runs, so that work which a
 * handler doesn't await is late or lost here too. What goes around them (sockets, such as an SDK client's) is not stopped; connections to databases end with
 * the environment.
 *
 * It takes several invocations at once, where Lambda would start an environment for each: module state is shared by more than on AWS, and
 * what one invocation leaves behind may go on while another runs.
 */
export interface ExecutionEnvironment {
  /** Calls the handler. */
  invoke(event: unknown, context: Context): RunningInvocation;
  /** Takes no more invocations; freezes for good once those that run have ended. */
  retire(): void;
}

/** Evaluates a bundle; throws what its modules throw. */
export function createExecutionEnvironment(options: ExecutionEnvironmentOptions): ExecutionEnvironment {
  const gate = createFreezeGate();
  const timers = createGatedTimers(gate, options.onUncaught);
  const sockets = createOwnSockets(join(options.folder, "serverless.yml"));
  const globals = {
    ...timers.globals,
    require: sockets.require,
    fetch: gateAsync(gate, fetch),
    process: Object.create(process, {
      env: { value: { ...options.variables }, enumerable: true, writable: true },
      ...(options.ports === undefined ? {} : { [EMBEDDED_PORTS]: { value: gatePorts(gate, options.ports) } }),
    }) as NodeJS.Process,
  };

  const handler = evaluate(options, globals);

  return {
    invoke(event, context) {
      const stay = enter(gate);
      return { result: call(handler, event, context, stay), abandon: stay.leave };
    },
    retire() {
      gate.retire(() => {
        // First, so that nobody connects again.
        timers.clearAll();
        sockets.endAll();
      });
    },
  };
}

/** An invocation's time inside. */
interface Stay {
  leave(): void;
}

function enter(gate: FreezeGate): Stay {
  gate.enter();
  let isInside = true;
  return {
    leave() {
      if (isInside) gate.leave();
      isInside = false;
    },
  };
}

async function call(handler: Handler, event: unknown, context: Context, stay: Stay): Promise<unknown> {
  try {
    return await handler(event, context);
  } finally {
    stay.leave();
  }
}

function gatePorts(gate: FreezeGate, { clock, address, ...ports }: EmbeddedPorts): EmbeddedPorts {
  return {
    address,
    clock: { now: clock.now, sleep: gateAsync(gate, clock.sleep) },
    apps: gatePort(gate, ports.apps),
    connections: gatePort(gate, ports.connections),
    log: gatePort(gate, ports.log),
    queue: gatePort(gate, ports.queue),
    gateway: gatePort(gate, ports.gateway),
  };
}

function evaluate(options: ExecutionEnvironmentOptions, globals: Record<string, unknown>): Handler {
  const { bundle, folder, handlerExport } = options;
  const module: { exports: Record<string, unknown> } = { exports: {} };
  const scope = { ...globals, module, exports: module.exports, __filename: bundle.file, __dirname: folder };
  const run = compile(bundle, Object.keys(scope));
  run(...Object.values(scope));
  const handler = module.exports[handlerExport];
  if (typeof handler !== "function") throw new Error(`the handler's file exports no function "${handlerExport}"`);
  return handler as Handler;
}

/** What V8 made of bundles: it keeps what it compiled of one for each environment that is made of it later. */
const scripts = new WeakMap<Bundle, Script>();

/** A bundle as a function of what it finds around it. */
function compile(bundle: Bundle, names: readonly string[]): (...values: unknown[]) => void {
  const head = `(function (${names.join(", ")}) {`;
  let script = scripts.get(bundle);
  if (script === undefined) {
    // Places in stack traces stay those of the bundle.
    script = new Script(`${head}${bundle.code}\n})`, { filename: bundle.file, columnOffset: -head.length });
    scripts.set(bundle, script);
  }
  return script.runInThisContext();
}
