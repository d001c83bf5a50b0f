import { authorizerHandler } from "@topicast/core/lambda";
import { allowedOrigins, checkToken } from "../app.ts";

export const handler = authorizerHandler({ service: "message-broadcast", allowedOrigins, checkToken });
