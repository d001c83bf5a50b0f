import { isIntrinsic } from "./serverless-yaml.ts";
import { StartError } from "./start-error.ts";

/** Where variables get their values. */
export interface VariableScope {
  /** The file's name, for errors. */
  readonly file: string;
  /** The whole file, which `${self:…}` points into. */
  readonly self: unknown;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `${sls:stage}`. */
  readonly stage: string;
  /** What a YAML file holds, its variables as they are written, for `${file(path)}`; `undefined` where there is no such file. */
  readonly include: (path: string) => unknown;
}

/** What stands where only a deployment has a value (`${cf:…}`, `${ssm:…}`, `${param:…}`): CloudFormation's own kind of unknown. */
const DEPLOYED_ONLY = { "Fn::Deployed": true };
const MAX_DEPTH = 20;

/**
 * Replaces the variables in a part of a `serverless.yml`: `${env:NAME}`, `${self:a.b}`, `${opt:stage, 'dev'}`, `${sls:stage}`, `${aws:region}`,
 * `${file(a.yml):b}`, each with fallbacks after commas. Intrinsics are left as they are. Throws a {@link StartError} that names `path` where nothing has a value.
 */
export function resolveVariables(value: unknown, path: string, scope: VariableScope, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new StartError(`${scope.file}: ${path}: variables point at each other in a circle`);
  if (typeof value === "string") return resolveText(value, path, scope, depth);
  if (Array.isArray(value)) {
    return value.map((item, index) => resolveVariables(item, `${path}.${index}`, scope, depth));
  }
  if (typeof value !== "object" || value === null || isIntrinsic(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    resolveVariables(item, `${path}.${key}`, scope, depth),
  ]);
  return Object.fromEntries(entries);
}

function resolveText(text: string, path: string, scope: VariableScope, depth: number): unknown {
  let resolved = "";
  let at = 0;
  for (let start = text.indexOf("${"); start !== -1; start = text.indexOf("${", at)) {
    const end = closingBrace(text, start + 2);
    if (end === -1) throw new StartError(`${scope.file}: ${path}: a variable is not closed: ${text.slice(start)}`);
    const value = resolveVariable(text.slice(start + 2, end), path, scope, depth);
    if (start === 0 && end === text.length - 1) return value;
    if (isIntrinsic(value)) return value;
    resolved += text.slice(at, start) + String(value);
    at = end + 1;
  }
  return resolved + text.slice(at);
}

function closingBrace(text: string, from: number): number {
  let open = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith("${", at)) open += 1;
    else if (text[at] === "}") open -= 1;
    if (open === 0) return at;
  }
  return -1;
}

function resolveVariable(expression: string, path: string, scope: VariableScope, depth: number): unknown {
  for (const alternative of splitAlternatives(expression)) {
    const value = resolveAlternative(alternative, path, scope, depth);
    if (value !== undefined && value !== null) return value;
  }
  throw new StartError(
    `${scope.file}: ${path}: \${${expression}} has no value; set it, or give a default: \${${expression}, '…'}`,
  );
}

function splitAlternatives(expression: string): string[] {
  const alternatives = [""];
  let quote = "";
  let open = 0;
  for (const character of expression) {
    if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (character === quote) quote = "";
    if (character === "{") open += 1;
    if (character === "}") open -= 1;
    if (character === "," && quote === "" && open === 0) alternatives.push("");
    else alternatives[alternatives.length - 1] += character;
  }
  return alternatives.map((alternative) => alternative.trim());
}

function resolveAlternative(text: string, path: string, scope: VariableScope, depth: number): unknown {
  const quoted = /^(['"])(.*)\1$/s.exec(text);
  if (quoted !== null) return quoted[2];
  const address = text.includes("${") ? resolveText(text, path, scope, depth + 1) : text;
  if (typeof address !== "string") return address;
  const included = includeText(address, scope);
  if (included !== NO_FILE) return resolveVariables(included, path, scope, depth + 1);
  const source = /^(\w+)(?:\([^)]*\))?:(.*)$/s.exec(address);
  if (source !== null) return lookUp(source[1] ?? "", source[2] ?? "", path, scope, depth);
  if (/^-?\d+(\.\d+)?$/.test(address)) return Number(address);
  if (address === "true" || address === "false") return address === "true";
  // Text that came out of an inner variable is a value; text that stands in the file is not a variable of ours (`${AWS::Region}`).
  return text.includes("${") ? address : DEPLOYED_ONLY;
}

function lookUp(source: string, address: string, path: string, scope: VariableScope, depth: number): unknown {
  if (source === "env") return scope.env[address];
  if (source === "opt") return undefined;
  if (source === "sls") return address === "stage" ? scope.stage : "local";
  if (source === "aws" && address === "region") return scope.env.AWS_REGION ?? "us-east-1";
  if (source !== "self") return DEPLOYED_ONLY;
  return resolveVariables(findMember(scope.self, address), path, scope, depth + 1);
}

/** What a lone `${file(…)}` stands for, its variables as they are written; any other value is itself. Throws where there is no such file. */
export function includeFile(value: unknown, path: string, scope: VariableScope): unknown {
  const variable = typeof value === "string" ? /^\$\{(file\([^}]*)\}$/.exec(value)?.[1] : undefined;
  const included = variable === undefined ? NO_FILE : includeText(variable, scope);
  if (included === undefined)
    throw new StartError(`${scope.file}: ${path}: ${value} has no value; name a file that is there`);
  return included === NO_FILE ? value : included;
}

const NO_FILE = Symbol("no file");

function includeText(variable: string, scope: VariableScope): unknown {
  const [, file, address] = /^file\(([^)]+\.(?:ya?ml|json))\)(?::(.*))?$/s.exec(variable) ?? [];
  if (file === undefined) return NO_FILE;
  const content = scope.include(file);
  return address === undefined ? content : findMember(content, address);
}

function findMember(value: unknown, address: string): unknown {
  return address.split(".").reduce<unknown>(memberOf, value);
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}
