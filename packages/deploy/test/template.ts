// biome-ignore-all lint/suspicious/noExplicitAny: CloudFormation's values have every shape
import { readFile } from "node:fs/promises";

export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties: any;
}

/** A compiled stack as CloudFormation would make it: conditions decided, what they rule out left away. */
export interface Template {
  readonly resources: Readonly<Record<string, Resource>>;
  readonly outputs: Readonly<Record<string, any>>;
  ofType(type: string): readonly Resource[];
}

export async function readTemplate(file: string): Promise<Template> {
  const { Conditions = {}, Resources, Outputs } = JSON.parse(await readFile(file, "utf8"));
  const holds = (name: string): boolean => evaluate(Conditions[name], holds);
  const resources = decideAll(Resources, holds);
  return {
    resources,
    outputs: decideAll(Outputs, holds),
    ofType: (type) => Object.values(resources).filter(({ Type }) => Type === type),
  };
}

type Holds = (condition: string) => boolean;

function evaluate(condition: any, holds: Holds): boolean {
  if ("Fn::Equals" in condition) return condition["Fn::Equals"][0] === condition["Fn::Equals"][1];
  if ("Fn::Not" in condition) return !evaluate(condition["Fn::Not"][0], holds);
  if ("Condition" in condition) return holds(condition.Condition);
  throw new Error(`No such condition here: ${JSON.stringify(condition)}`);
}

function decideAll(entries: Record<string, any>, holds: Holds): Record<string, any> {
  const made = Object.entries(entries).filter(([, { Condition }]) => Condition === undefined || holds(Condition));
  return Object.fromEntries(made.map(([name, entry]) => [name, decide(entry, holds)]));
}

/** Replaces every `Fn::If` by what it comes to; `AWS::NoValue` becomes undefined. */
function decide(value: any, holds: Holds): any {
  if (Array.isArray(value)) return value.map((item) => decide(item, holds));
  if (typeof value !== "object" || value === null) return value;
  if (value.Ref === "AWS::NoValue") return undefined;
  if ("Fn::If" in value) {
    const [condition, then, otherwise] = value["Fn::If"];
    return decide(holds(condition) ? then : otherwise, holds);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decide(item, holds)]));
}
