// biome-ignore-all lint/suspicious/noExplicitAny: CloudFormation's values have every shape
import { readFile } from "node:fs/promises";

export interface Resource {
  readonly Type: string;
  readonly Properties: any;
}

/** A compiled stack. */
export interface Template {
  readonly resources: Readonly<Record<string, Resource>>;
  readonly outputs: Readonly<Record<string, any>>;
  /** The whole file. */
  readonly text: string;
  ofType(type: string): readonly Resource[];
}

export async function readTemplate(file: string): Promise<Template> {
  const text = await readFile(file, "utf8");
  const { Resources, Outputs } = JSON.parse(text) as {
    Resources: Template["resources"];
    Outputs: Template["outputs"];
  };
  const ofType = (type: string) => Object.values(Resources).filter(({ Type }) => Type === type);
  return { resources: Resources, outputs: Outputs, text, ofType };
}
