import type { Clock } from "@topicast/core";
import type { Environment, Equipment, ServiceBackend } from "./backend.ts";
import type { Bundle } from "./bundle.ts";
import { createLambdaFunction, type HandlerParts, type LambdaFunction, type Replacement } from "./lambda-function.ts";
import type { FunctionDefinition, ServiceDefinition } from "./service-definition.ts";
import { StartError } from "./start-error.ts";
import { UNAUTHORIZED } from "./web-socket-authorizer.ts";

/** What a service's functions are made of: once at the start, and again with each reload. */
export interface Deployment {
  readonly definition: ServiceDefinition;
  readonly bundles: ReadonlyMap<string, Bundle>;
  readonly equipment: Equipment;
}

export interface FunctionsOptions extends Deployment {
  readonly backend: ServiceBackend;
  readonly region: string;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** The functions of a service. */
export interface Functions {
  readonly all: readonly LambdaFunction[];
  /** Evaluates every handler. Throws a {@link StartError} for the first that can't be: its environment may be wrong. */
  warm(): void;
  /**
   * Evaluates every handler anew. Throws the same. Which functions there are, with their routes, event sources and timeouts, stays as it was at the
   * start; a {@link StartError} says that one of them is missing.
   */
  prepare(deployment: Deployment): Promise<Replacement>;
  /** Freezes them for good. */
  close(): void;
}

export function createFunctions(options: FunctionsOptions): Functions {
  const { definition: service, backend, clock, log, region } = options;
  const routes = service.functions.flatMap(({ webSocketRoutes }) => webSocketRoutes);
  const authorizers = new Set(routes.map(({ authorizer }) => authorizer?.name));
  const all = service.functions.map((definition) => {
    const parts = partsOf(definition, options, backend);
    const expectedErrors = authorizers.has(definition.name) ? [UNAUTHORIZED] : [];
    return createLambdaFunction({ service, definition, parts, region, expectedErrors, clock, log });
  });
  const labelOf = ({ definition }: LambdaFunction) => `${service.name}/${definition.name}`;

  return {
    all,
    warm() {
      for (const each of all) evaluate(labelOf(each), () => each.warm());
    },
    prepare(deployment) {
      const byName = new Map(deployment.definition.functions.map((each) => [each.name, each]));
      return prepareAll(all, (each) => {
        const definition = byName.get(each.definition.name);
        if (definition === undefined) throw new StartError(`${labelOf(each)} is gone: that needs a restart`);
        return evaluate(labelOf(each), () => each.prepare(partsOf(definition, deployment, backend)));
      });
    },
    close() {
      for (const each of all) each.close();
    },
  };
}

/** All or none: where one throws, those before it are dropped. */
export async function prepareAll<T>(
  all: readonly T[],
  prepare: (each: T) => Replacement | Promise<Replacement>,
): Promise<Replacement> {
  const prepared: Replacement[] = [];
  const whole = {
    take() {
      for (const each of prepared) each.take();
    },
    drop() {
      for (const each of prepared) each.drop();
    },
  };
  try {
    for (const each of all) prepared.push(await prepare(each));
  } catch (error) {
    whole.drop();
    throw error;
  }
  return whole;
}

function evaluate<T>(label: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    // By shape: what a bundle throws need not be of the host's classes.
    const message = typeof cause === "object" && cause !== null && "message" in cause ? cause.message : cause;
    throw new StartError(`${label} can't start: ${message}`, { cause });
  }
}

function partsOf(definition: FunctionDefinition, deployment: Deployment, backend: ServiceBackend): HandlerParts {
  const { bundles, equipment } = deployment;
  const bundle = bundles.get(definition.name);
  if (bundle === undefined) throw new Error(`"${definition.name}" was not bundled`);
  return {
    bundle,
    ...(equipment.offered && { ports: equipment.offered }),
    environment: { ...definition.environment, ...fillIn(definition, backend), ...equipment.environment },
  };
}

function fillIn({ references }: FunctionDefinition, backend: ServiceBackend): Environment {
  const values = Object.entries(references).flatMap(([name, reference]) => {
    const value = backend.resolve(reference);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(values);
}
