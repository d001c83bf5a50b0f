import { type Result, refuse } from "./codes.ts";
import { parseTopic, type Topic } from "./topic-name.ts";

/**
 * Some topics: one by its name, or all that `*` makes, which stands for any rest of one or more segments: `room/*` is `room/1` and `room/1/x`, but
 * neither `room` nor `rooms/1`; `*` alone is every topic.
 */
export type TopicPattern = string & { readonly __brand: "TopicPattern" };

/** `field` is what the message calls it. Never throws. */
export function parseTopicPattern(text: string, field = "pattern"): Result<TopicPattern> {
  const segments = text.split("/");
  // One that matches something is a topic with any last segment.
  if (segments.at(-1) === "*") segments.splice(-1, 1, "x");
  const name = segments.join("/");
  if (name.includes("*")) {
    return refuse("invalid_topic", `\`${field}\` may hold \`*\` only as its last segment, as in room/*.`);
  }
  const topic = parseTopic(name, field);
  return topic.ok ? { ok: true, value: text as TopicPattern } : topic;
}

export function matchesTopic(pattern: TopicPattern, topic: Topic): boolean {
  if (pattern === "*") return true;
  if (!pattern.endsWith("/*")) return (pattern as string) === topic;
  const prefix = pattern.slice(0, -1);
  return topic.startsWith(prefix) && topic.length > prefix.length;
}
