import { parseConfig } from "@topicast/core";

export const config = parseConfig(process.env);
