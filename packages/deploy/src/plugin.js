// @ts-check
import { tsImport } from "tsx/esm/api";
import { decideConditions } from "./conditions.js";
import { findFault } from "./environment.js";

/**
 * The part of osls that a plugin of ours uses.
 *
 * @typedef {object} Serverless
 * @property {{ Error: new (message: string, code: string) => Error }} classes
 * @property {Service} service
 *
 * @typedef {object} Service
 * @property {string} service its name
 * @property {{ domains?: import("./environment.js").Domains, store: string }} custom
 * @property {{ environment: Record<string, unknown>, compiledCloudFormationTemplate: import("./conditions.js").Template }} provider
 */

const NO_DOMAINS = { webSocket: "", webSocketPath: "", http: "", certificateArn: "" };

/** Whose functions read another environment than those that pass messages on. */
const APPLICATIONS = "topicast-applications";

/** Who may call a function where osls names nobody: the WebSocket API of the same stack, on any of its routes. */
const OWN_WEBSOCKET_API = {
  "Fn::Sub": `arn:\${AWS::Partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${WebsocketsApi}/*`,
};

/** What our stacks ask of osls that its configuration has no words for. osls calls `new` on what a plugin exports. */
export default class Deploy {
  /** @param {Serverless} serverless */
  constructor(serverless) {
    this.hooks = {
      "before:package:cleanup": () => stopAtFault(serverless),
      "before:deploy:function:initialize": () => stopAtFault(serverless),
      "after:package:compileEvents": () => narrowPermissions(serverless.service),
      "after:aws:package:finalize:mergeCustomProviderResources": () =>
        decideConditions(serverless.service.provider.compiledCloudFormationTemplate),
      "before:offline:start": () => fillEnvironment(serverless.service),
    };
  }
}

/** @param {Serverless} serverless */
async function stopAtFault({ service, classes }) {
  const fault =
    findFault(process.env, service.custom.domains ?? NO_DOMAINS) ??
    (await findRedisUrlFault(service)) ??
    (await findConfigFault(service));
  // An error of osls's own class is printed as its message alone.
  if (fault !== undefined) throw new classes.Error(fault, "TOPICAST_ENVIRONMENT");
}

/**
 * Where the address is no secret, so that it is known.
 *
 * @param {Service} service
 * @returns {Promise<string | undefined>}
 */
async function findRedisUrlFault({ provider: { environment } }) {
  const url = String(environment.REDIS_URL);
  if (url === "" || isResolvedLater(url)) return undefined;
  const { parseRedisUrl } = await tsImport("../../core/src/redis-url.ts", import.meta.url);
  const address = parseRedisUrl(url);
  return "fault" in address ? `REDIS_URL ${address.fault}` : undefined;
}

/**
 * What the functions would stop at when they start, in their own words.
 *
 * @param {Service} service
 * @returns {Promise<string | undefined>}
 */
async function findConfigFault({ service, provider: { environment } }) {
  // What CloudFormation fills in isn't known yet, and is nobody's to get wrong.
  const known = Object.entries(environment).filter(([, value]) => typeof value === "string" && !isResolvedLater(value));
  const parse = await loadParser(service);
  try {
    parse({ ...Object.fromEntries(known), STORE: "memory" });
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "ConfigError") return error.message;
    throw error;
  }
}

/**
 * @param {string} service
 * @returns {Promise<(environment: Record<string, unknown>) => unknown>}
 */
async function loadParser(service) {
  if (service === APPLICATIONS)
    return (await tsImport("../../core/src/applications-config.ts", import.meta.url)).parseApplicationsConfig;
  return (await tsImport("../../core/src/config.ts", import.meta.url)).parseConfig;
}

/** @param {string} value */
function isResolvedLater(value) {
  return value.startsWith("{{resolve:");
}

/**
 * osls lets the API Gateway of any account call the functions of a WebSocket API.
 *
 * @param {Service} service
 */
function narrowPermissions({ provider }) {
  for (const { Type, Properties } of Object.values(provider.compiledCloudFormationTemplate.Resources)) {
    if (Type === "AWS::Lambda::Permission") Properties.SourceArn ??= OWN_WEBSOCKET_API;
  }
}

/**
 * serverless-offline has no CloudFormation: what that would fill in (a table's name, a queue's address) comes from the environment.
 *
 * @param {Service} service
 */
function fillEnvironment({ provider }) {
  for (const [name, value] of Object.entries(provider.environment)) {
    if (typeof value === "object") provider.environment[name] = process.env[name] ?? "";
  }
}
