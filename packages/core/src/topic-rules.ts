import { matchesTopic, type Topic, type TopicPattern } from "@topicast/protocol";
import type { Retention } from "./ports/topic-log.ts";

/** What holds for a topic. */
export interface TopicRule {
  readonly retention: Retention;
  /** Whether what is published is ephemeral where the publisher doesn't say. */
  readonly ephemeral: boolean;
  /** Of a single payload as JSON, where that is less than a frame or a request may bring. */
  readonly maxPayloadBytes?: number;
  /** Messages leave together, at most once in this time. */
  readonly tickMs?: number;
}

/** In the order in which they are tried. */
export type TopicRules = readonly (TopicRule & { readonly match: TopicPattern })[];

/** Two minutes and 1,000 messages: the protocol's "Recovery" chapter. */
export const DEFAULT_RULE: TopicRule = { retention: { maxMessages: 1_000, maxAgeMs: 120_000 }, ephemeral: false };

/** The first rule that matches, whole; the default where none does. */
export function ruleFor(rules: TopicRules, topic: Topic): TopicRule {
  return rules.find(({ match }) => matchesTopic(match, topic)) ?? DEFAULT_RULE;
}
