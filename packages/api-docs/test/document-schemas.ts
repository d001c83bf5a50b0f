import { readFile } from "node:fs/promises";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { parse } from "yaml";

// biome-ignore lint/suspicious/noExplicitAny: documents are looked into at every depth
export type Document = any;

export interface Documented {
  readonly document: Document;
  /** Checks by the schema that a JSON pointer leads to, such as `#/components/schemas/Topic`. */
  validator(pointer: string): ValidateFunction;
}

/**
 * A document as it is committed. `closed`: what it says of objects is all that there may be, so that no field is left undocumented; readers must
 * take what they don't know.
 */
export async function readDocument(name: "asyncapi" | "openapi", { closed = false } = {}): Promise<Documented> {
  const text = await readFile(new URL(`../../../docs/${name}.yaml`, import.meta.url), "utf8");
  const document: Document = parse(text);
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ ...(closed ? close(document) : document), $id: name });
  return {
    document,
    validator(pointer) {
      const validate = ajv.getSchema(`${name}${pointer}`);
      if (validate === undefined) throw new Error(`${name}.yaml has no ${pointer}`);
      return validate;
    },
  };
}

function close(node: Document): Document {
  if (Array.isArray(node)) return node.map(close);
  if (typeof node !== "object" || node === null) return node;
  const closed = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, close(value)]));
  return closed.type === "object" && "properties" in closed ? { additionalProperties: false, ...closed } : closed;
}
