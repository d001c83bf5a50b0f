import { jsonSchemasOf, type Node, schemaRef } from "../json-schema.ts";
import { APPLICATION_OPERATIONS } from "./applications.ts";
import { BROADCAST_OPERATIONS } from "./message-broadcast.ts";
import { TOPIC_OPERATIONS } from "./message-topic.ts";
import type { Body, Operation, ServiceName } from "./operation.ts";
import { PARAMETERS } from "./parameters.ts";
import { problemResponsesOf, responsesOf } from "./responses.ts";
import { SCHEMAS } from "./schemas.ts";

const OPERATIONS: readonly Operation[] = [...TOPIC_OPERATIONS, ...BROADCAST_OPERATIONS, ...APPLICATION_OPERATIONS];

const TAGS: Readonly<Record<ServiceName, string>> = {
  "message-topic": "Topics that clients join.",
  "message-broadcast": "Rooms in which everyone gets everything.",
  applications: "The operator's: applications and their keys.",
};

const DESCRIPTION = `Publish/subscribe messaging for backends. docs/protocol.md is the same in prose.

Problems are RFC 9457 documents with a \`code\`. Where doors are open, as on the local host by default, no key is asked for.`;

const SERVERS = [
  { url: "http://localhost:4000", description: "The local host (npm start)." },
  {
    url: "https://{domain}",
    description:
      "On AWS, a domain on which each service's API is mapped under the service's name. Without one each service has an address of its own, where paths begin behind the service's name.",
    variables: { domain: { default: "api.your-domain.org" } },
  },
];

const HEADERS = {
  RequestId: { description: "What the service's log calls this request.", schema: { type: "string" } },
  RetryAfter: { description: "Seconds after which to try again.", schema: { type: "integer", minimum: 1 } },
  WwwAuthenticate: { description: "How to say who asks.", schema: { type: "string", const: "Bearer" } },
};

const SECURITY_SCHEMES = {
  applicationKey: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "{app}.{keyId}:{secret}",
    description: "An application's key; its rights and topic patterns say what it may do.",
  },
  operatorKey: {
    type: "http",
    scheme: "bearer",
    description: "The operator's key, of which OPERATOR_KEY_HASH is the SHA-256.",
  },
};

/** The HTTP APIs of all services, as OpenAPI 3.1. */
export function openApiDocument(version: string): Node {
  return {
    openapi: "3.1.1",
    info: {
      title: "Topicast over HTTP",
      version,
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: SERVERS,
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: pathsOf(OPERATIONS),
    components: {
      securitySchemes: SECURITY_SCHEMES,
      parameters: PARAMETERS,
      headers: HEADERS,
      responses: problemResponsesOf(OPERATIONS),
      schemas: jsonSchemasOf(SCHEMAS, "draft-2020-12"),
    },
  };
}

function pathsOf(operations: readonly Operation[]): Record<string, Node> {
  const paths: Record<string, Node> = {};
  for (const operation of operations) {
    const path = `/${operation.service}${operation.path}`;
    paths[path] = { ...paths[path], [operation.method]: describe(operation) };
  }
  return paths;
}

function describe(operation: Operation): Node {
  const { id, service, summary, description, security, parameters, body } = operation;
  return {
    operationId: id,
    tags: [service],
    summary,
    ...(description !== undefined && { description }),
    security: security === undefined ? [] : [{ [security]: [] }],
    ...(parameters && { parameters: parameters.map((name) => ({ $ref: `#/components/parameters/${name}` })) }),
    ...(body && { requestBody: describeBody(body) }),
    responses: responsesOf(operation),
  };
}

function describeBody(body: Body): Node {
  if ("schema" in body)
    return { required: true, content: { "application/json": { schema: { $ref: schemaRef(body.schema) } } } };
  const description = body.anything;
  return { description, content: { "application/json": { schema: {} }, "text/plain": { schema: { type: "string" } } } };
}
