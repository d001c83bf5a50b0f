import { type CollectionTag, isCollection, parseDocument, type ScalarTag } from "yaml";
import { StartError } from "./start-error.ts";

const SHORT_FUNCTIONS =
  "And Base64 Cidr Condition Equals FindInMap GetAtt GetAZs If ImportValue Join Length Not Or Ref Select Split Sub ToJsonString Transform".split(
    " ",
  );

/** What only CloudFormation can work out: `!Ref`, `Fn::…` and the like, or a variable that has a value only when deployed. */
export function isIntrinsic(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && /^(Ref|Condition|Fn::\w+)$/.test(keys[0] ?? "");
}

function createIntrinsic(name: string, argument: unknown): object {
  return { [name === "Ref" || name === "Condition" ? name : `Fn::${name}`]: argument };
}

function shortTags(name: string): (ScalarTag | CollectionTag)[] {
  const tag = `!${name}`;
  const resolveCollection: CollectionTag["resolve"] = (value) =>
    createIntrinsic(name, isCollection(value) ? value.toJSON() : value);
  return [
    { tag, resolve: (text) => createIntrinsic(name, text) },
    { tag, collection: "seq", resolve: resolveCollection },
    { tag, collection: "map", resolve: resolveCollection },
  ];
}

/** Reads a `serverless.yml` as it is written; throws a {@link StartError} with file and line where it isn't YAML. */
export function parseServerlessYaml(text: string, file: string): unknown {
  const document = parseDocument(text, { customTags: SHORT_FUNCTIONS.flatMap(shortTags), merge: true });
  const [error] = document.errors;
  if (error === undefined) return document.toJS();
  const [firstLine = ""] = error.message.split("\n");
  const fault = firstLine.replace(/ at line \d+.*$/, "");
  throw new StartError(`${file}:${error.linePos?.[0].line ?? 1}: not valid YAML: ${fault}`, { cause: error });
}
