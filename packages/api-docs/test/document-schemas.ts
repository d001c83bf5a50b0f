import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { parse } from "yaml";

// biome-ignore lint/suspicious/noExplicitAny: documents are looked into at every depth
export type Document = any;

export interface Documented {
  readonly document: Document;
  /** Checks by the schema at the end of these steps. */
  validator(...path: readonly string[]): ValidateFunction;
}

/**
 * A document as it is committed. `closed`: what it says of objects is all that there may be, so that no field is left undocumented; readers must
 * take what they don't know.
 */
export function readDocument(name: "asyncapi" | "openapi", { closed = false } = {}): Documented {
  const document: Document = parse(readFileSync(new URL(`../../../docs/${name}.yaml`, import.meta.url), "utf8"));
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ ...(closed ? close(document) : document), $id: name });
  return {
    document,
    validator(...path) {
      const pointer = path.map((step) => encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1")));
      const validate = ajv.getSchema(`${name}#/${pointer.join("/")}`);
      if (validate === undefined) throw new Error(`${name}.yaml has no schema at ${path.join(" > ")}`);
      return validate;
    },
  };
}

/** The steps to what a `$ref` of the same document means. */
export function stepsOf(ref: string): string[] {
  return ref.slice("#/".length).split("/");
}

function close(node: Document): Document {
  if (Array.isArray(node)) return node.map(close);
  if (typeof node !== "object" || node === null) return node;
  const closed = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, close(value)]));
  return closed.type === "object" && "properties" in closed ? { additionalProperties: false, ...closed } : closed;
}
