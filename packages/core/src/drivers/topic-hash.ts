import { hash } from "node:crypto";
import type { Topic } from "@topicast/protocol";
import type { AppId } from "../model.ts";

/** Stands for a topic and its application in keys and in a connection's map: names may have 800 bytes, this has 22. */
export type TopicHash = string & { readonly __brand: "TopicHash" };

/** Of so many topics the hash is remembered: most calls are about a few. */
const REMEMBERED = 4_096;
const remembered = new Map<string, TopicHash>();

export function topicHash(app: AppId, topic: Topic): TopicHash {
  // With its length, so that no other two give the same text.
  const name = `${app.length} ${app}${topic}`;
  const known = remembered.get(name);
  if (known !== undefined) return known;
  if (remembered.size === REMEMBERED) remembered.clear();
  const made = hashOf([app, topic]) as TopicHash;
  remembered.set(name, made);
  return made;
}

/** Of parts that together name something: 22 characters. */
export function hashOf(parts: readonly string[]): string {
  // As JSON, so that no other parts give the same text. 128 bits: nobody finds others of the same hash.
  return hash("sha256", JSON.stringify(parts), "buffer").subarray(0, 16).toString("base64url");
}
