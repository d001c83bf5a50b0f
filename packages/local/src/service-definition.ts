import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import * as v from "valibot";
import type { ResourceReference } from "./resource-reference.ts";
import { resolveVariables, type VariableScope } from "./serverless-variables.ts";
import { parseServerlessYaml } from "./serverless-yaml.ts";
import { pickResources, type ServiceResources } from "./service-resources.ts";
import { type FunctionEvent, type ServiceInput, serviceSchema } from "./service-schema.ts";
import { StartError } from "./start-error.ts";

export interface WebSocketRoute {
  readonly routeKey: string;
  /** Whether a returned `body` reaches the client: only where the route has a `$default` route response. */
  readonly answers: boolean;
  readonly authorizer?: AuthorizerDefinition;
}

export interface AuthorizerDefinition {
  /** The function, of the same service. */
  readonly name: string;
  /** `route.request.header.X` and `route.request.querystring.x`: all must be there, or the function isn't asked. */
  readonly identitySource: readonly string[];
}

export interface QueueSource {
  /** The queue's logical id; absent where it is of another stack. */
  readonly queueId?: string;
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
  /** What of its environment CloudFormation fills in from a resource. */
  readonly references: Readonly<Record<string, ResourceReference>>;
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
  readonly resources: ServiceResources;
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
  const include = (path: string) => readIncluded(join(folder, path));
  const scope: VariableScope = { file, self: root.output, env, stage: "dev", include };
  const parsed = v.safeParse(serviceSchema, pickResolved(root.output, scope));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new StartError(`${file}: ${v.getDotPath(issue) ?? "the file"}: ${issue.message}`);
  }
  const definition = toDefinition(parsed.output, resolve(folder));
  const fault = findAuthorizerFault(definition);
  if (fault !== undefined) throw new StartError(`${file}: ${fault}`);
  return definition;
}

/** Nobody may come in because an authorizer isn't asked. */
function findAuthorizerFault({ functions }: ServiceDefinition): string | undefined {
  for (const { name, webSocketRoutes } of functions) {
    for (const { routeKey, authorizer } of webSocketRoutes) {
      if (authorizer === undefined) continue;
      if (routeKey !== "$connect") {
        return `functions.${name}: the route ${routeKey} has an authorizer; API Gateway runs one on $connect alone`;
      }
      if (!functions.some((candidate) => candidate.name === authorizer.name)) {
        return `functions.${name}: its authorizer ${authorizer.name} is no function of this service`;
      }
    }
  }
  return undefined;
}

/** Paths are relative to the service's folder, wherever the variable stands. */
function readIncluded(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // There is no such file: the variable has no value, and says so unless it has a default.
    return undefined;
  }
  return parseServerlessYaml(text, file);
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
    resources: resolveVariables(pickResources(root.resources, scope), "resources", scope),
  };
}

function toDefinition({ provider, functions, resources }: ServiceInput, folder: string): ServiceDefinition {
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
        ...splitEnvironment({ ...provider.environment, ...input.environment }),
        ...toSources(input.events),
      };
    }),
    resources,
  };
}

function splitEnvironment(values: Readonly<Record<string, string | ResourceReference>>) {
  const environment: Record<string, string> = {};
  const references: Record<string, ResourceReference> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "string") environment[name] = value;
    else references[name] = value;
  }
  return { environment, references };
}

function toSources(events: readonly FunctionEvent[]) {
  return {
    webSocketRoutes: events.flatMap(({ websocket }) =>
      websocket === undefined
        ? []
        : [
            {
              routeKey: websocket.route,
              answers: websocket.routeResponseSelectionExpression !== undefined,
              ...(websocket.authorizer !== undefined && { authorizer: websocket.authorizer }),
            },
          ],
    ),
    httpRouteKeys: events.flatMap(({ httpApi }) => (httpApi === undefined ? [] : [httpApi])),
    queueSources: events.flatMap(({ sqs }) =>
      sqs?.enabled
        ? [
            {
              ...(sqs.arn === undefined ? {} : { queueId: sqs.arn }),
              batchSize: sqs.batchSize,
              maxConcurrency: sqs.maximumConcurrency,
              reportsItemFailures: sqs.functionResponseType !== undefined,
            },
          ]
        : [],
    ),
  };
}
