// @ts-check
/**
 * The part of a CloudFormation template that conditions are in.
 *
 * @typedef {object} Template
 * @property {Record<string, unknown>} [Conditions]
 * @property {Record<string, any>} Resources
 * @property {Record<string, any>} [Outputs]
 *
 * @typedef {(name: string) => boolean} Holds
 */

/** What `AWS::NoValue` stands for. */
const NOTHING = Symbol("nothing");

/**
 * Decides what CloudFormation would, in place: what a condition rules out is gone, and so are the conditions. All of ours are known when
 * a stack is packaged; deciding them here shows in the template what is made.
 *
 * @param {Template} template
 */
export function decideConditions(template) {
  const { Conditions = {}, Resources, Outputs = {} } = template;
  /** @type {Holds} */
  const holds = (name) => evaluate(Conditions[name], holds);
  template.Resources = decideEntries(Resources, holds);
  template.Outputs = decideEntries(Outputs, holds);
  delete template.Conditions;
}

/**
 * @param {any} condition
 * @param {Holds} holds
 * @returns {boolean}
 */
function evaluate(condition, holds) {
  const [[name, argument] = []] = Object.entries(condition ?? {});
  if (name === "Fn::Equals" && argument.every(isText)) return argument[0] === argument[1];
  if (name === "Fn::Not") return !evaluate(argument[0], holds);
  if (name === "Condition") return holds(argument);
  throw new Error(`A condition must be known when a stack is packaged: ${JSON.stringify(condition)}`);
}

/** @param {unknown} value */
function isText(value) {
  return typeof value === "string";
}

/**
 * @param {Record<string, any>} entries
 * @param {Holds} holds
 */
function decideEntries(entries, holds) {
  const made = Object.entries(entries).filter(([, { Condition }]) => Condition === undefined || holds(Condition));
  return Object.fromEntries(made.map(([name, { Condition: _, ...entry }]) => [name, decide(entry, holds)]));
}

/**
 * @param {any} value
 * @param {Holds} holds
 * @returns {any}
 */
function decide(value, holds) {
  if (Array.isArray(value)) return value.map((item) => decide(item, holds)).filter((item) => item !== NOTHING);
  if (typeof value !== "object" || value === null) return value;
  if (value.Ref === "AWS::NoValue") return NOTHING;
  if ("Fn::If" in value) {
    const [condition, then, otherwise] = value["Fn::If"];
    return decide(holds(condition) ? then : otherwise, holds);
  }
  const decided = Object.entries(value).map(([key, item]) => [key, decide(item, holds)]);
  return Object.fromEntries(decided.filter(([, item]) => item !== NOTHING));
}
