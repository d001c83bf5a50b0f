import { createHash } from "node:crypto";
import type { Topic } from "@topicast/protocol";
import type { AppId } from "../model.ts";

/** Stands for a topic and its application in keys and in a connection's map: names may have 800 bytes, this has 22. */
export type TopicHash = string & { readonly __brand: "TopicHash" };

export function topicHash(app: AppId, topic: Topic): TopicHash {
  return hashOf([app, topic]) as TopicHash;
}

/** Of parts that together name something: 22 characters. */
export function hashOf(parts: readonly string[]): string {
  // As JSON, so that no other parts give the same text. 128 bits: nobody finds others of the same hash.
  return createHash("sha256").update(JSON.stringify(parts)).digest().subarray(0, 16).toString("base64url");
}
