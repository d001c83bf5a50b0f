import { describe, expect, it } from "@jest/globals";
import { DEFAULT_RULE, parseConfig } from "@topicast/core";
import { aTopic } from "@topicast/testing";
import { ruleFor } from "../src/topic-rules.ts";

const rulesOf = (rules: unknown) =>
  parseConfig({
    STORE: "memory",
    OPEN: "yes",
    TOPIC_RULES: typeof rules === "string" ? rules : JSON.stringify(rules),
  }).rules;

describe("topic rules", () => {
  it("hold for the topics that they match, the first one whole", () => {
    const rules = rulesOf([
      { match: "game/lobby", historySeconds: 600, historyMessages: 50 },
      { match: "game/*", ephemeral: true, maxPayloadBytes: 1_000, tickMs: 50 },
      { match: "*", historySeconds: 0 },
    ]);
    const { retention } = DEFAULT_RULE;
    expect(ruleFor(rules, aTopic("game/lobby"))).toMatchObject({
      retention: { maxAgeMs: 600_000, maxMessages: 50 },
      ephemeral: false,
    });
    const game = { retention, ephemeral: true, maxPayloadBytes: 1_000, tickMs: 50 };
    expect(ruleFor(rules, aTopic("game/1/x"))).toMatchObject(game);
    expect(ruleFor(rules, aTopic("game"))).toMatchObject({ retention: { ...retention, maxAgeMs: 0 } });
  });

  it("leave the defaults where none matches", () => {
    for (const rules of [undefined, "", "[]", '[{"match":"room/*"}]']) {
      const settings = parseConfig({
        STORE: "memory",
        OPEN: "yes",
        ...(rules !== undefined && { TOPIC_RULES: rules }),
      });
      expect(ruleFor(settings.rules, aTopic("lobby"))).toBe(DEFAULT_RULE);
    }
  });

  it.each([
    [
      "{",
      /^The environment is wrong: TOPIC_RULES must be JSON: close brace expected in line 1, column 2, around "\{"\./,
    ],
    ['[{"match":x}]', 'TOPIC_RULES must be JSON: invalid symbol in line 1, column 11, around "[{\\"match\\":x}]".'],
    ['[\n {"match":"a"},\n]', /TOPIC_RULES must be JSON: [a-z ]+ in line 3, column 1, /],
    ["[] // none", /TOPIC_RULES must be JSON: invalid comment token in line 1, column 4, /],
    [{}, "TOPIC_RULES must be a list such as"],
    [["a"], "TOPIC_RULES[0] must be an object such as"],
    [[{}], "TOPIC_RULES[0].match is missing."],
    [[{ match: 1 }], "TOPIC_RULES[0].match must be a topic's name, or end in *"],
    [[{ match: "a*" }], "TOPIC_RULES[0].match is wrong: `match` may hold"],
    [
      [{ match: "a" }, { match: "b", historySeconds: -1 }],
      "TOPIC_RULES[1].historySeconds must be a whole number from 0",
    ],
    [[{ match: "a", historyMessages: "9" }], "TOPIC_RULES[0].historyMessages must be a whole number from 0 to"],
    [[{ match: "a", maxPayloadBytes: 0 }], "TOPIC_RULES[0].maxPayloadBytes must be a whole number from 1 to 98304."],
    [[{ match: "a", tickMs: 9 }], "TOPIC_RULES[0].tickMs must be a whole number from 10 to 1000."],
    [[{ match: "a", tickMs: 1_001 }], "TOPIC_RULES[0].tickMs must be a whole number from 10 to 1000."],
    [[{ match: "a", ephemeral: "yes" }], "TOPIC_RULES[0].ephemeral must be true or false."],
    [[{ match: "a", history: 1 }], "TOPIC_RULES[0].history is no part of a rule; those are match, historySeconds,"],
  ])("%j stop the start, with the place of the fault", (rules, fault) => {
    expect(() => rulesOf(rules)).toThrow(fault);
  });

  it("are told of together with all other faults", () => {
    const environment = { STORE: "memory", POST_CONCURRENCY: "0", TOPIC_RULES: '[{"match":"/"},{"ephemeral":1}]' };
    expect(() => parseConfig(environment)).toThrow(/POST_CONCURRENCY .*TOPIC_RULES\[0\]\.match .*TOPIC_RULES\[1\]\./);
  });
});
