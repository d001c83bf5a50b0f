// @ts-check
/** @typedef {{ webSocket: string, webSocketPath: string, http: string, certificateArn: string }} Domains Each empty where it isn't set. */

const DOMAIN_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const MAPPING_PATH = /^[A-Za-z0-9$_.+!*'()-]{1,300}$/;
const CERTIFICATE_ARN = /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/\S+$/;

const DOMAIN_VARIABLES = [
  "TOPIC_WEBSOCKET_DOMAIN",
  "TOPIC_HTTP_DOMAIN",
  "BROADCAST_WEBSOCKET_DOMAIN",
  "BROADCAST_HTTP_DOMAIN",
];

/** As the ARN of a parameter has it behind `parameter`. */
const PARAMETER_NAME = /^(\/[\w.-]+)+$/;

/** Which `STORE` a deployed service may have. */
const STORES = ["dynamodb", "redis", "dynamodb+redis", "redis+dynamodb"];
const SUBNET_IDS = /^subnet-[0-9a-f]+(,subnet-[0-9a-f]+)*$/;
const SECURITY_GROUP_IDS = /^sg-[0-9a-f]+(,sg-[0-9a-f]+)*$/;
/** Or an ARN. */
const SECRET_NAME = /^[\w/+=.@:-]+$/;

/**
 * What keeps this environment from being deployed, in one line; undefined where nothing does.
 *
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {Domains} domains what `custom.domains` of a `serverless.yml` came to
 * @returns {string | undefined}
 */
export function findFault(env, domains) {
  const parameter = env.ENCRYPTION_KEY_PARAMETER || undefined;
  if (parameter !== undefined && !PARAMETER_NAME.test(parameter))
    return `ENCRYPTION_KEY_PARAMETER: "${parameter}" is no name of a parameter with its path, as in /topicast/prod/encryption-key`;
  const store = env.STORE || "dynamodb";
  if (!STORES.includes(store)) return `STORE: "${store}" is no store: it must be one of ${STORES.join(", ")}.`;
  return (store === "dynamodb" ? undefined : findRedisFault(env)) ?? findDomainsFault(env, domains);
}

/**
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {string | undefined}
 */
function findRedisFault(env) {
  // Whatever stands before it may be a password, and in the template everybody could read it who may read the stack.
  if (env.REDIS_URL?.includes("@"))
    return "REDIS_URL has a password, or a user: keep it as a secret instead, see docs/redis.md, and leave REDIS_URL unset.";
  const secret = env.REDIS_URL_SECRET ?? "";
  if (secret !== "" && !SECRET_NAME.test(secret)) return `REDIS_URL_SECRET: "${secret}" is no name of a secret.`;
  const subnets = env.VPC_SUBNET_IDS ?? "";
  const groups = env.VPC_SECURITY_GROUP_IDS ?? "";
  if ((subnets === "") !== (groups === ""))
    return "VPC_SUBNET_IDS and VPC_SECURITY_GROUP_IDS need each other: set both, or neither where Redis has a public address.";
  if (subnets === "") return undefined;
  if (!SUBNET_IDS.test(subnets))
    return `VPC_SUBNET_IDS: "${subnets}" are no subnets: give their ids with commas between, as in subnet-0a1b,subnet-2c3d`;
  if (!SECURITY_GROUP_IDS.test(groups))
    return `VPC_SECURITY_GROUP_IDS: "${groups}" are no security groups: give their ids with commas between, as in sg-0a1b,sg-2c3d`;
  return undefined;
}

/**
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {Domains} domains
 * @returns {string | undefined}
 */
function findDomainsFault(env, { webSocket, webSocketPath, http, certificateArn }) {
  const named = [webSocket, http].filter((domain) => domain !== "");
  const wrong = named.find((domain) => !DOMAIN_NAME.test(domain));
  if (wrong !== undefined)
    return `"${wrong}" is no domain name: give it in lower case and without https://, as in ws.example.com`;
  if (webSocketPath !== "" && webSocket === "") return `The path "${webSocketPath}" needs a WebSocket domain to be on.`;
  if (webSocketPath !== "" && !MAPPING_PATH.test(webSocketPath))
    return `"${webSocketPath}" is no path of a domain: API Gateway takes one segment without slashes for a WebSocket API.`;
  if (named.length > 0 && !CERTIFICATE_ARN.test(certificateArn))
    return `${named[0]} needs a certificate: set CERTIFICATE_ARN to the ARN of one in ACM, in the region that you deploy to.`;
  if (webSocket !== "" && webSocket === http)
    return `${http} is given twice: API Gateway lets no HTTP API share a domain name with a WebSocket API.`;
  // Each stack makes its own, and a domain name exists once in a region.
  const all = DOMAIN_VARIABLES.map((name) => env[name] ?? "").filter((domain) => domain !== "");
  const shared = all.find((domain, at) => all.indexOf(domain) !== at);
  if (shared !== undefined) return `${shared} is given twice: each service needs domain names of its own.`;
  return undefined;
}
