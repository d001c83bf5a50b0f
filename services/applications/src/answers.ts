import type { Application, ApplicationKey } from "@topicast/core";
import type { Json, TopicPattern } from "@topicast/protocol";

/** A key as the operator sees it: nothing of its secret. Times in Unix ms. */
interface KeyAnswer {
  readonly keyId: string;
  readonly rights: readonly string[];
  readonly topics: readonly TopicPattern[];
  readonly createdAt: number;
  readonly expiresAt?: number;
}

interface ApplicationAnswer {
  readonly app: string;
  /** As in `TOPIC_RULES`. */
  readonly rules: Json;
  readonly maxConnections?: number;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly keys: readonly KeyAnswer[];
}

export function applicationAnswer(application: Application): ApplicationAnswer {
  const { name, topicRules, maxConnections, createdAt, expiresAt, keys } = application;
  return {
    app: name,
    rules: JSON.parse(topicRules),
    ...(maxConnections !== undefined && { maxConnections }),
    createdAt,
    ...(expiresAt !== undefined && { expiresAt }),
    keys: keys.map(keyAnswer),
  };
}

export function keyAnswer({ id, grants, createdAt, expiresAt }: ApplicationKey): KeyAnswer {
  return {
    keyId: id,
    // All of its grants have the same.
    rights: grants[0]?.rights ?? [],
    topics: grants.map(({ topics }) => topics),
    createdAt,
    ...(expiresAt !== undefined && { expiresAt }),
  };
}
