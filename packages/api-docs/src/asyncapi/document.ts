import { broadcastConnectQuerySchema, connectQuerySchema } from "@topicast/protocol/schemas";
import type { GenericSchema } from "valibot";
import { jsonSchemaOf, jsonSchemasOf, type Node, schemaRef } from "../json-schema.ts";
import { MESSAGES, type MessageName, SHARED_SCHEMAS, schemaNameOf } from "./messages.ts";
import { type ChannelName, describeOperations, messagesOf } from "./operations.ts";

const DESCRIPTION = `Publish/subscribe messaging for clients. docs/protocol.md is the same in prose.

All frames are JSON text. Clients ignore empty frames, unknown fields, and frames of an unknown \`type\`. A frame from a client is at most 32 KB, one to a
client at most 128 KB. Where doors are open, as on the local host by default, no token is asked for.`;

const CHANNELS: Readonly<
  Record<ChannelName, { readonly service: string; readonly about: string; readonly query: GenericSchema }>
> = {
  topic: { service: "message-topic", about: "Topics that clients join.", query: connectQuerySchema },
  broadcast: {
    service: "message-broadcast",
    about: "A room in which everyone gets everything; there is no protocol to learn.",
    query: broadcastConnectQuerySchema,
  },
};

const SECURITY_SCHEMES = {
  tokenInHeader: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "`sub`, `exp`, and `cap`, a map from topic patterns to operations; signed with an application's key.",
  },
  tokenInQuery: { type: "httpApiKey", name: "token", in: "query", description: "The same token." },
  tokenInSubprotocol: {
    type: "httpApiKey",
    name: "Sec-WebSocket-Protocol",
    in: "header",
    description:
      "The same token, for browsers: the subprotocols `bearer, <token>`, of which the service takes `bearer`.",
  },
};

/** The WebSocket APIs of both services, as AsyncAPI 3.0. */
export function asyncApiDocument(version: string): Node {
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Topicast over WebSocket",
      version,
      description: DESCRIPTION,
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    defaultContentType: "application/json",
    servers: describeServers(),
    channels: describeChannels(),
    operations: describeOperations(),
    components: {
      messages: describeMessages(),
      schemas: describeSchemas(),
      securitySchemes: SECURITY_SCHEMES,
      correlationIds: { id: { description: "A reply has the `id` of its request.", location: "$message.payload#/id" } },
    },
  };
}

function describeServers(): Record<string, Node> {
  const security = Object.keys(SECURITY_SCHEMES).map((name) => ({ $ref: `#/components/securitySchemes/${name}` }));
  const servers = Object.entries(CHANNELS).flatMap(([name, { service }]): [string, Node][] => [
    [
      `${name}Local`,
      {
        host: "localhost:4000",
        pathname: `/${service}`,
        protocol: "ws",
        description: `${service} on the local host (npm start).`,
        security,
      },
    ],
    [
      `${name}Aws`,
      {
        host: "{api}.execute-api.{region}.amazonaws.com",
        pathname: "/{stage}",
        protocol: "wss",
        description: `${service} on AWS, where it has no domain of its own.`,
        variables: {
          api: { description: "The id of the service's WebSocket API." },
          region: { default: "us-east-1" },
          stage: { default: "dev" },
        },
        security,
      },
    ],
  ]);
  return Object.fromEntries(servers);
}

function describeChannels(): Record<string, Node> {
  const channels = Object.entries(CHANNELS).map(([name, { service, about, query }]) => [
    name,
    {
      address: "/",
      title: service,
      description: about,
      servers: [{ $ref: `#/servers/${name}Local` }, { $ref: `#/servers/${name}Aws` }],
      messages: messagesOf(name as ChannelName),
      bindings: { ws: { method: "GET", query: jsonSchemaOf(query, "draft-07"), bindingVersion: "0.1.0" } },
    },
  ]);
  return Object.fromEntries(channels);
}

function describeMessages(): Record<string, Node> {
  const messages = Object.entries(MESSAGES).map(([name, message]) => [
    name,
    {
      name,
      summary: message.summary,
      payload: { $ref: schemaRef(schemaNameOf(name as MessageName)) },
      ...("hasId" in message && { correlationId: { $ref: "#/components/correlationIds/id" } }),
    },
  ]);
  return Object.fromEntries(messages);
}

function describeSchemas(): Record<string, Node> {
  const payloads: [string, GenericSchema][] = Object.entries(MESSAGES).map(([name, { schema }]) => [
    schemaNameOf(name as MessageName),
    schema,
  ]);
  return jsonSchemasOf(
    {
      ...SHARED_SCHEMAS,
      ...Object.fromEntries(payloads),
    },
    "draft-07",
  );
}
