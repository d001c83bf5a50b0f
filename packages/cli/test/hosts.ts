import { join } from "node:path";
import { type Host, type HostOptions, startHost } from "@topicast/local";

const SERVICES = join(__dirname, "../../../services");

/** Services on a free port, quiet about the errors that tests cause on purpose. */
export function startServices(names: readonly string[], options: Partial<HostOptions> = {}): Promise<Host> {
  const environment = { POWERTOOLS_LOG_LEVEL: "SILENT", ...options.environment };
  const services = names.map((name) => join(SERVICES, name));
  return startHost({ port: 0, ...options, services, environment });
}
