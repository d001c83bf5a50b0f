import { randomUUID } from "node:crypto";
import type { Clock } from "@topicast/core";
import type { EmbeddedPorts } from "@topicast/core/embedded";
import type { Context } from "aws-lambda";
import { arnOf } from "./account.ts";
import type { Bundle } from "./bundle.ts";
import { createDeadlines } from "./deadlines.ts";
import { createExecutionEnvironment, type ExecutionEnvironment } from "./execution-environment.ts";
import type { FunctionDefinition, ServiceDefinition } from "./service-definition.ts";
import { describeError } from "./stack-trace.ts";

/** What became of an invocation. Why it failed is in the log; `message` is that of an error that the handler threw. */
export type Invocation =
  | { readonly status: "returned"; readonly value: unknown }
  | { readonly status: "failed"; readonly message?: string };

/** What a handler is made of. */
export interface HandlerParts {
  readonly bundle: Bundle;
  /** Absent where the handler has SDK clients instead. */
  readonly ports?: EmbeddedPorts;
  /** What Lambda itself sets comes on top. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What was made ready to take the place of what runs. Exactly one of the two must be called. */
export interface Replacement {
  /** From now on whatever begins, begins with it; what runs ends with what it began with. */
  take(): void;
  drop(): void;
}

export interface LambdaFunction {
  readonly definition: FunctionDefinition;
  /** Evaluates the handler's modules ahead of the first invocation; throws what they throw. */
  warm(): void;
  /** The same for other parts, which may take the place of those that the function has. */
  prepare(parts: HandlerParts): Replacement;
  /** Never rejects. The event is the handler's to change. */
  invoke(event: unknown): Promise<Invocation>;
  close(): void;
}

export interface LambdaFunctionOptions {
  readonly service: ServiceDefinition;
  readonly definition: FunctionDefinition;
  readonly parts: HandlerParts;
  readonly region: string;
  /** Messages of the errors that the handler throws on purpose; they are no news. */
  readonly expectedErrors?: readonly string[];
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

const TIMED_OUT = Symbol("timed out");

export function createLambdaFunction(options: LambdaFunctionOptions): LambdaFunction {
  const { service, definition, clock, expectedErrors = [] } = options;
  const deployedName = `${service.name}-dev-${definition.name}`;
  const ownVariables = lambdaVariables(deployedName, options);
  const deadlines = createDeadlines(clock, definition.timeoutMs);
  const createContext = contextsOf(deployedName, options);
  let { parts } = options;
  let current: ExecutionEnvironment | undefined;
  let closed = false;

  function fail(description: string): Invocation {
    // What fails because the host ends is no news.
    if (!closed) options.log(`${service.name}/${definition.name}: ${description}`);
    return { status: "failed" };
  }

  function evaluate({ bundle, ports, environment }: HandlerParts): ExecutionEnvironment {
    return createExecutionEnvironment({
      bundle,
      folder: service.folder,
      handlerExport: definition.handlerExport,
      variables: { ...environment, ...ownVariables },
      ...(ports === undefined ? {} : { ports }),
      onUncaught: (error) => fail(describeError(error, bundle)),
    });
  }

  function warmEnvironment(): ExecutionEnvironment {
    current ??= evaluate(parts);
    return current;
  }

  /** No invocation meets an environment whose handler may be stuck. */
  function replace(environment: ExecutionEnvironment): void {
    environment.retire();
    if (current === environment) current = undefined;
  }

  return {
    definition,
    warm() {
      warmEnvironment();
    },
    prepare(nextParts) {
      const next = evaluate(nextParts);
      const drop = () => next.retire();
      return {
        take() {
          if (closed) return drop();
          current?.retire();
          current = next;
          parts = nextParts;
        },
        drop,
      };
    },
    async invoke(event) {
      if (closed) return { status: "failed" };
      const { bundle } = parts;
      try {
        const environment = warmEnvironment();
        const { result, abandon } = environment.invoke(event, createContext());
        const value = await deadlines.race(result, TIMED_OUT);
        if (value !== TIMED_OUT) return { status: "returned", value };
        replace(environment);
        // On AWS its process is gone.
        abandon();
        return fail(`Task timed out after ${(definition.timeoutMs / 1_000).toFixed(2)} seconds`);
      } catch (error) {
        const message = messageOf(error);
        if (message !== undefined && expectedErrors.includes(message)) return { status: "failed", message };
        return { ...fail(describeError(error, bundle)), ...(message !== undefined && { message }) };
      }
    },
    close() {
      closed = true;
      if (current !== undefined) replace(current);
    },
  };
}

/** By shape: what a bundle throws need not be of the host's classes. */
function messageOf(error: unknown): string | undefined {
  const message = typeof error === "object" && error !== null && "message" in error ? error.message : undefined;
  return typeof message === "string" ? message : undefined;
}

function lambdaVariables(deployedName: string, options: LambdaFunctionOptions): Record<string, string> {
  const { definition, service, region } = options;
  return {
    // Nothing else of the host's own environment: what serverless.yml doesn't name isn't there when it is deployed either.
    PATH: process.env.PATH ?? "",
    TZ: ":UTC",
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LAMBDA_FUNCTION_NAME: deployedName,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${deployedName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: "local",
    LAMBDA_TASK_ROOT: service.folder,
    _HANDLER: `${definition.handlerFile}.${definition.handlerExport}`,
  };
}

/** Gives each invocation its context. */
function contextsOf(deployedName: string, { definition, region, clock }: LambdaFunctionOptions): () => Context {
  const { timeoutMs, memoryMb } = definition;
  const invokedFunctionArn = arnOf("lambda", region, `function:${deployedName}`);
  const logGroupName = `/aws/lambda/${deployedName}`;
  const memoryLimitInMB = String(memoryMb);
  const ignore = () => undefined;
  return () => {
    const deadline = clock.now() + timeoutMs;
    // Not spread from what all have in common: that takes several times as long, and every message needs one.
    return {
      callbackWaitsForEmptyEventLoop: true,
      functionName: deployedName,
      functionVersion: "$LATEST",
      invokedFunctionArn,
      memoryLimitInMB,
      awsRequestId: randomUUID(),
      logGroupName,
      logStreamName: "local",
      getRemainingTimeInMillis() {
        return Math.max(0, deadline - clock.now());
      },
      done: ignore,
      fail: ignore,
      succeed: ignore,
    };
  };
}
