import { queueHandler } from "@topicast/core/lambda";
import { service } from "../app.ts";

export const handler = queueHandler(service);
