import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type Host, type HostOptions, startHost } from "@topicast/local";
import type { Frame } from "@topicast/testing";

export const OPERATOR_KEY = "operator-key-of-these-tests";
/** Doors that are closed, with this operator. */
const CLOSED = {
  OPEN: "",
  ENCRYPTION_KEY: "an encryption key of these tests, long enough",
  OPERATOR_KEY_HASH: createHash("sha256").update(OPERATOR_KEY).digest("hex"),
};

const SERVICES = ["applications", "message-topic"].map((service) =>
  fileURLToPath(new URL(`../../${service}`, import.meta.url)),
);

export interface Answer {
  readonly status: number;
  /** Empty where there is none. */
  readonly body: Frame;
}

export interface ApplicationsHost extends Host {
  /** Asks a service as who has this key: the operator, and the service of applications, unless it says otherwise. */
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>;
}

export interface AskOptions {
  readonly body?: unknown;
  /** `null`: no key at all. */
  readonly key?: string | null;
  readonly service?: string;
}

/** The services of applications and of topics on the local host, on a free port, with closed doors. */
export async function startApplicationsHost(options: Partial<HostOptions> = {}): Promise<ApplicationsHost> {
  // Tests cause errors on purpose; what a caller is told of them is what counts.
  const environment = { POWERTOOLS_LOG_LEVEL: "SILENT", ...CLOSED, ...options.environment };
  const host = await startHost({ services: SERVICES, port: 0, ...options, environment });
  return {
    ...host,
    async ask(method, path, { body, key = OPERATOR_KEY, service = "applications" } = {}) {
      const response = await fetch(`${host.url}/${service}${path}`, {
        method,
        ...(key !== null && { headers: { authorization: `Bearer ${key}` } }),
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === "" ? "" : JSON.parse(text) };
    },
  };
}
