import type { Plugin } from "esbuild";
import type { Environment } from "./backend.ts";
import { bundleFunctions } from "./bundle.ts";
import { APPLICATIONS, APPLICATIONS_FOLDER } from "./closed-doors.ts";
import type { Settings } from "./host-options.ts";
import type { Release } from "./service.ts";
import { readServiceDefinition, type ServiceDefinition } from "./service-definition.ts";
import { StartError } from "./start-error.ts";

export type ReleaseSettings = Pick<Settings, "env" | "environment" | "doors">;

/** Reads and bundles services, and `applications` beside them where doors are closed. Throws a {@link StartError} where one is broken. */
export async function readReleases(
  folders: readonly string[],
  settings: ReleaseSettings,
  plugins: Plugin[],
): Promise<Release[]> {
  const definitions = await readDefinitions(folders, settings);
  return Promise.all(
    definitions.map(async (definition) => ({
      definition,
      bundles: await bundleFunctions(definition, plugins),
      environment: environmentOf(definition.name, settings),
    })),
  );
}

function environmentOf(service: string, { environment, doors }: ReleaseSettings): Environment {
  return { ...environment, ...doors?.environmentOf(service) };
}

async function readDefinitions(folders: readonly string[], settings: ReleaseSettings): Promise<ServiceDefinition[]> {
  const env = { ...settings.env, ...environmentOf(APPLICATIONS, settings) };
  const named = await Promise.all(folders.map((folder) => readServiceDefinition(folder, env)));
  const isMissing = settings.doors !== undefined && !named.some(({ name }) => name === APPLICATIONS);
  const definitions = isMissing ? [...named, await readServiceDefinition(APPLICATIONS_FOLDER, env)] : named;
  const names = definitions.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  const unfit = names.find((name) => !/^[\w.-]+$/.test(name));
  if (unfit !== undefined)
    throw new StartError(`"${unfit}" can't be a path; rename the folder to letters, digits and "-"`);
  if (twice !== undefined) throw new StartError(`Two services are called "${twice}"; rename one of the folders`);
  return definitions;
}
