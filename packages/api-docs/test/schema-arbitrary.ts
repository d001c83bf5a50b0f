import fc from "fast-check";
import { topic } from "../../protocol/test/arbitraries.ts";
import { type Document, stepsOf } from "./document-schemas.ts";

/** The only pattern that is too much for `fc.stringMatching`: what it may hold is written there anew. */
const TOPIC_VERBS = "messages|subscribers";
/** Lists and texts don't become longer, whatever a schema allows. */
const MAX_LENGTH = 8;

/** Values of the shape that a schema asks for; conditions that span properties are left to a filter. */
export function valuesOf(schema: Document, document: Document): fc.Arbitrary<unknown> {
  const inner = (one: Document) => valuesOf(one, document);
  if (schema.$ref !== undefined) {
    return inner(stepsOf(schema.$ref).reduce((node: Document, step: string) => node[step], document));
  }
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(inner));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case "object":
      return objectsOf(schema, inner);
    case "array":
      return fc.array(inner(schema.items), { minLength: schema.minItems ?? 0, maxLength: MAX_LENGTH });
    case "string":
      return stringsOf(schema);
    case "integer":
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? MAX_LENGTH, 2 ** 31 - 1) });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default:
      return fc.jsonValue();
  }
}

function objectsOf(schema: Document, inner: (one: Document) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const properties = Object.entries<Document>(schema.properties).map(([name, one]) => [name, inner(one)]);
  return fc.record(Object.fromEntries(properties), { requiredKeys: schema.required ?? [] });
}

function stringsOf({ pattern, minLength = 0, maxLength = MAX_LENGTH }: Document): fc.Arbitrary<string> {
  if (pattern === undefined) return fc.string({ unit: "binary", minLength, maxLength });
  return pattern.includes(TOPIC_VERBS) ? topic : fc.stringMatching(new RegExp(pattern));
}
