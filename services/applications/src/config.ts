import { parseApplicationsConfig } from "@topicast/core";

export const config = parseApplicationsConfig(process.env);
