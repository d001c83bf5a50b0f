import type { Clock } from "@topicast/core";
import type { EmbeddedPorts } from "@topicast/core/embedded";
import { DEFAULT_REGION } from "./account.ts";
import type { Environment } from "./backend.ts";
import { type ClosedDoors, closeDoors, type GivenKeys } from "./closed-doors.ts";
import type { HostFaults } from "./faults.ts";
import { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import { redact } from "./redact.ts";
import type { WireOptions } from "./wire/backend.ts";

export interface HostOptions {
  /** Folders with a `serverless.yml`; the folder's name is the service's path. */
  readonly services: readonly string[];
  /** Default 4000; 0 picks a free one. */
  readonly port?: number;
  /** What to listen on. Default 127.0.0.1: this machine only. */
  readonly hostname?: string;
  /**
   * Closes the doors: clients need tokens, backends keys, `@connections` signatures. Then this repository's service `applications` is served
   * too, and has the application `default`. Default: everyone may do everything.
   */
  readonly auth?: boolean | GivenKeys;
  /** Where `${env:…}` of a `serverless.yml` finds its values. Default: the environment of the process. */
  readonly env?: Environment;
  /**
   * Over the environment in `serverless.yml`, for every function. In this process the host itself minds `STORE`, `memory` or `redis`, and `REDIS_URL`: hosts on
   * one Redis share connections, topics and applications.
   */
  readonly environment?: Readonly<Record<string, string>>;
  /** For the gateway's and the queues' timeouts and for every time in events. */
  readonly clock?: Clock;
  readonly limits?: Partial<GatewayLimits>;
  /**
   * Has handlers speak to DynamoDB, SQS and `@connections` over the wire, by their SDK clients, instead of in this process. The queues keep
   * the system's time then.
   */
  readonly wire?: WireOptions;
  /** Wraps what is offered to the handlers of a service in this process. */
  readonly ports?: (ports: EmbeddedPorts, service: string) => EmbeddedPorts;
  /** What goes wrong on purpose; `parseChaos` gives those of a bad network. */
  readonly faults?: HostFaults;
  /** Where failures of handlers are reported. Default: stderr. */
  readonly log?: (line: string) => void;
}

export const DEFAULT_PORT = 4_000;
export const DEFAULT_HOSTNAME = "127.0.0.1";

/** The system's time. Its sleeps hold no process open: a host that listens does that, and one that is closed must not. */
const hostClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms).unref()),
};

/** The options that have defaults, with those. */
export type Settings = Required<
  Pick<HostOptions, "port" | "hostname" | "env" | "environment" | "clock" | "faults" | "log">
> & {
  readonly limits: GatewayLimits;
  readonly region: string;
  /** Absent where they are open. */
  readonly doors?: ClosedDoors;
};

/** Throws a `StartError` where a key has the wrong form. */
export function readSettings(options: HostOptions): Settings {
  const { auth = false, log = writeLine } = options;
  const given = auth === true ? {} : auth;
  const { env, environment } = readEnvironment(options);
  return {
    port: options.port ?? DEFAULT_PORT,
    hostname: options.hostname ?? DEFAULT_HOSTNAME,
    env,
    environment,
    clock: options.clock ?? hostClock,
    limits: { ...GATEWAY_LIMITS, ...options.limits },
    faults: options.faults ?? {},
    log: (line) => log(redact(line)),
    region: env.AWS_REGION || DEFAULT_REGION,
    ...(given !== false && { doors: closeDoors(given, { ...env, ...environment }) }),
  };
}

/** What of the options may change while the host runs. */
export type ReloadOptions = Pick<HostOptions, "env" | "environment">;

export function readEnvironment({
  env = process.env,
  environment,
}: ReloadOptions): Pick<Settings, "env" | "environment"> {
  // Doors are open unless somebody asks for more.
  return { env, environment: { OPEN: "yes", ...environment } };
}

function writeLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
