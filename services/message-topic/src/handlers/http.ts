import { health, httpHandler } from "@topicast/core/lambda";
import { allowedOrigins, checkKey } from "../app.ts";
import { connectionRoutes } from "../http/connections.ts";
import { publishingRoutes } from "../http/publishing.ts";
import { service } from "../http/service.ts";
import { topicRoutes } from "../http/topics.ts";
import { userRoutes } from "../http/users.ts";

const { logger } = service;

export const handler = httpHandler(
  { allowedOrigins, checkKey, logger },
  {
    forAnyone: { "GET /health": () => health(service) },
    withKey: { ...publishingRoutes, ...topicRoutes, ...userRoutes, ...connectionRoutes },
  },
);
