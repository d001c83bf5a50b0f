import { describe, expect, it } from "@jest/globals";
import { decideConditions, type Template } from "../src/conditions.js";

const Conditions = {
  Yes: { "Fn::Equals": ["a", "a"] },
  No: { "Fn::Not": [{ Condition: "Yes" }] },
};

function decided(Properties: object, Condition?: string): Template {
  const thing = { Type: "Thing", Properties, ...(Condition !== undefined && { Condition }) };
  const template: Template = {
    Conditions,
    Resources: { Thing: thing },
    Outputs: { Out: { Value: "x", Condition: "No" } },
  };
  decideConditions(template);
  return template;
}

const NO_VALUE = { Ref: "AWS::NoValue" };

describe("the conditions of a template", () => {
  it("are decided and gone", () => {
    expect(decided({ A: 1 }, "Yes")).toEqual({
      Resources: { Thing: { Type: "Thing", Properties: { A: 1 } } },
      Outputs: {},
    });
    expect(decided({ A: 1 }, "No")).toEqual({ Resources: {}, Outputs: {} });
  });

  it.each([
    [{ A: { "Fn::If": ["Yes", "then", "else"] } }, { A: "then" }],
    [{ A: { "Fn::If": ["No", "then", { "Fn::If": ["Yes", "inner", NO_VALUE] }] } }, { A: "inner" }],
    [{ A: { "Fn::If": ["No", "then", NO_VALUE] }, B: 1 }, { B: 1 }],
    [{ A: [1, { "Fn::If": ["No", 2, NO_VALUE] }, 3] }, { A: [1, 3] }],
    // IAM's own word, which is none of ours.
    [{ A: [{ Effect: "Deny", Condition: { Bool: {} } }] }, { A: [{ Effect: "Deny", Condition: { Bool: {} } }] }],
  ])("make of %j what they choose", (properties, chosen) => {
    expect(decided(properties).Resources.Thing.Properties).toEqual(chosen);
  });

  it.each([{ "Fn::Equals": [{ Ref: "AWS::Region" }, "us-east-1"] }, undefined])(
    "can't be left to CloudFormation: %j",
    (condition) => {
      const template = { Conditions: { Late: condition }, Resources: { Thing: { Type: "Thing", Condition: "Late" } } };
      expect(() => decideConditions(template)).toThrow("A condition must be known when a stack is packaged");
    },
  );
});
