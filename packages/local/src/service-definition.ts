import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import * as v from "valibot";
import { resolveVariables, type VariableScope } from "./serverless-variables.ts";
import { parseServerlessYaml } from "./serverless-yaml.ts";
import { type FunctionEvent, type ServiceInput, serviceSchema } from "./service-schema.ts";
import { StartError } from "./start-error.ts";

export interface WebSocketRoute {
  readonly routeKey: string;
  /** Whether a returned `body` reaches the client: only where the route has a `$default` route response. */
  readonly answers: boolean;
}

export interface QueueSource {
  readonly batchSize: number;
  readonly maxConcurrency: number;
  readonly reportsItemFailures: boolean;
}

export interface FunctionDefinition {
  readonly name: string;
  /** Relative to the service's folder, without extension. */
  readonly handlerFile: string;
  readonly handlerExport: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly webSocketRoutes: readonly WebSocketRoute[];
  /** `GET /path`, `ANY /path` or `$default`. */
  readonly httpRouteKeys: readonly string[];
  readonly queueSources: readonly QueueSource[];
}

/** What the host takes from a `serverless.yml`. */
export interface ServiceDefinition {
  /** The folder's name, which is the service's path. */
  readonly name: string;
  readonly folder: string;
  /** Where in a message's body the route key stands: `["action"]` for `$request.body.action`. */
  readonly routeSelectionPath: readonly string[];
  readonly functions: readonly FunctionDefinition[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the `serverless.yml` of a folder; throws a {@link StartError} that names file and field where something is wrong with it. */
export async function readServiceDefinition(folder: string, env: Environment): Promise<ServiceDefinition> {
  const file = join(folder, "serverless.yml");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new StartError(`${file}: can't be read; a service is a folder with a serverless.yml`, { cause });
  }
  return parseServiceDefinition(text, folder, env);
}

/** The same for text that was read already. */
export function parseServiceDefinition(text: string, folder: string, env: Environment): ServiceDefinition {
  const file = join(folder, "serverless.yml");
  const root = v.safeParse(v.looseObject({}), parseServerlessYaml(text, file));
  if (!root.success) throw new StartError(`${file}: is not a mapping with "provider" and "functions"`);
  const scope: VariableScope = { file, self: root.output, env, stage: "dev" };
  const parsed = v.safeParse(serviceSchema, pickResolved(root.output, scope));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new StartError(`${file}: ${v.getDotPath(issue) ?? "the file"}: ${issue.message}`);
  }
  return toDefinition(parsed.output, resolve(folder));
}

/** Resolves variables only where their values are used, so that what only a deployment needs may stay unset here. */
function pickResolved(root: Record<string, unknown>, scope: VariableScope): object {
  const provider = v.parse(v.fallback(v.looseObject({}), {}), root.provider);
  const { timeout, memorySize, environment, websocketsApiRouteSelectionExpression } = provider;
  const used = { timeout, memorySize, environment, websocketsApiRouteSelectionExpression };
  const given = Object.fromEntries(Object.entries(used).filter(([, value]) => value !== undefined));
  return {
    provider: resolveVariables(given, "provider", scope),
    functions: resolveVariables(root.functions, "functions", scope),
  };
}

function toDefinition({ provider, functions }: ServiceInput, folder: string): ServiceDefinition {
  return {
    name: basename(folder),
    folder,
    routeSelectionPath: provider.websocketsApiRouteSelectionExpression.split(".").slice(2),
    functions: Object.entries(functions).map(([name, input]) => {
      const dot = input.handler.lastIndexOf(".");
      return {
        name,
        handlerFile: input.handler.slice(0, dot),
        handlerExport: input.handler.slice(dot + 1),
        timeoutMs: (input.timeout ?? provider.timeout) * 1_000,
        memoryMb: input.memorySize ?? provider.memorySize,
        environment: { ...provider.environment, ...input.environment },
        ...toSources(input.events),
      };
    }),
  };
}

function toSources(events: readonly FunctionEvent[]) {
  return {
    webSocketRoutes: events.flatMap(({ websocket }) =>
      websocket === undefined
        ? []
        : [{ routeKey: websocket.route, answers: websocket.routeResponseSelectionExpression !== undefined }],
    ),
    httpRouteKeys: events.flatMap(({ httpApi }) => (httpApi === undefined ? [] : [httpApi])),
    queueSources: events.flatMap(({ sqs }) =>
      sqs?.enabled
        ? [
            {
              batchSize: sqs.batchSize,
              maxConcurrency: sqs.maximumConcurrency,
              reportsItemFailures: sqs.functionResponseType !== undefined,
            },
          ]
        : [],
    ),
  };
}
