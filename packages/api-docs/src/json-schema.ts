import { toJsonSchemaDefs } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { FIELDS } from "./fields.ts";

/** A JSON Schema, or any other object of a document. */
export interface Node {
  [key: string]: unknown;
}

/** OpenAPI 3.1 has the newer one, AsyncAPI 3.0 the older. */
type Target = "draft-07" | "draft-2020-12";

/** What code checks beside a schema is said by the schema's metadata, in words of JSON Schema. */
const BY_CODE = ["check", "readonly", "transform"];

/** Schemas under their names, which they call each other by. */
export function jsonSchemasOf(
  definitions: Readonly<Record<string, GenericSchema>>,
  target: Target,
): Record<string, Node> {
  const schemas = toJsonSchemaDefs(definitions, {
    target,
    typeMode: "input",
    ignoreActions: BY_CODE,
    overrideRef: ({ referenceId }) => schemaRef(referenceId),
  });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, describeFields(schema as Node)]));
}

/** One that calls no other. */
export function jsonSchemaOf(schema: GenericSchema, target: Target): Node {
  const { schema: converted = {} } = jsonSchemasOf({ schema }, target);
  return converted;
}

export function schemaRef(name: string): string {
  return `#/components/schemas/${name}`;
}

function describeFields(schema: Node): Node {
  const said = Object.entries(schema).filter(([key, value]) => !(key === "required" && isEmpty(value)));
  return Object.fromEntries(
    said.map(([key, value]) => [key, key === "properties" ? described(value as Node) : deep(value)]),
  );
}

function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0;
}

function deep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(deep);
  return typeof value === "object" && value !== null ? describeFields(value as Node) : value;
}

function described(properties: Node): Node {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, describedField(name, schema)]));
}

/** A field that its schema says nothing of is described by its name, unless it is only part of a condition. */
function describedField(name: string, schema: unknown): unknown {
  const known = describeFields(schema as Node);
  const isPlain = !("description" in known) && !("$ref" in known) && !("const" in known);
  return isPlain && Object.hasOwn(FIELDS, name) ? { ...known, description: FIELDS[name] } : known;
}
