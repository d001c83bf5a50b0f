import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readServiceDefinition } from "./service-definition.ts";
import { StartError } from "./start-error.ts";

/** The folders in `root` whose `serverless.yml` has something to serve: a WebSocket or HTTP route. */
export async function findServices(root: string, env: Readonly<Record<string, string | undefined>>): Promise<string[]> {
  const files = await readdir(root, { withFileTypes: true, recursive: false }).catch((cause: unknown) => {
    throw new StartError(`${root}: there are no services here; name a folder with --service`, { cause });
  });
  const folders = files.filter((file) => file.isDirectory()).map(({ name }) => join(root, name));
  const served = await Promise.all(folders.map(async (folder) => ((await hasRoutes(folder, env)) ? [folder] : [])));
  const services = served.flat();
  if (services.length === 0)
    throw new StartError(`${root}: no serverless.yml with a route; name a folder with --service`);
  return services;
}

async function hasRoutes(folder: string, env: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  if (!(await readdir(folder)).includes("serverless.yml")) return false;
  const { functions } = await readServiceDefinition(folder, env);
  return functions.some(({ webSocketRoutes, httpRouteKeys }) => webSocketRoutes.length + httpRouteKeys.length > 0);
}
