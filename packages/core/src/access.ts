import { matchesTopic, type Result, refuse, type Topic, type TopicPattern } from "@topicast/protocol";
import type { AppId } from "./model.ts";

/** What may be done with a topic, as tokens say it. */
export const OPERATIONS = ["subscribe", "publish", "history", "presence"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** What a key may have a right to: the operations, and looking at and closing connections, users and topics. */
export const RIGHTS = [...OPERATIONS, "admin"] as const;
export type Right = (typeof RIGHTS)[number];

export interface Grant {
  readonly topics: TopicPattern;
  readonly rights: readonly Right[];
}

/**
 * What a caller may do: what every layer grants. A token's layers are its own `cap` and the rights of the key that signed it, so that nobody hands
 * on more than they have. No layer at all is everything.
 */
export type Access = readonly (readonly Grant[])[];

export const EVERYTHING: Access = [];
export const NOTHING: Access = [[]];

/** Who asks for something: a client with a token, or a backend with a key. */
export interface Caller {
  readonly app: AppId;
  readonly access: Access;
  /** Whom a token is for. */
  readonly user?: string;
  /** Unix ms after which it is nobody: a token's or an application's end. */
  readonly expiresAt?: number;
}

export function may({ access }: Pick<Caller, "access">, right: Right, topic: Topic): boolean {
  return access.every((grants) =>
    grants.some(({ topics, rights }) => rights.includes(right) && matchesTopic(topics, topic)),
  );
}

/** Whether it has a right everywhere, as what is about a user or a connection and no topic needs. */
function mayEverywhere({ access }: Pick<Caller, "access">, right: Right): boolean {
  return access.every((grants) => grants.some(({ topics, rights }) => rights.includes(right) && topics === "*"));
}

/** The same answer whether or not there is such a topic. */
export function allow(caller: Pick<Caller, "access">, right: Right, topic: Topic): Result<undefined> {
  if (may(caller, right, topic)) return { ok: true, value: undefined };
  return refuse("forbidden", `This token or key may not ${VERBS[right]} ${topic}.`);
}

export function allowEverywhere(caller: Pick<Caller, "access">, right: Right): Result<undefined> {
  if (mayEverywhere(caller, right)) return { ok: true, value: undefined };
  return refuse("forbidden", `This key doesn't have the right ${right} for all topics (*), which this needs.`);
}

const VERBS: Readonly<Record<Right, string>> = {
  subscribe: "subscribe to",
  publish: "publish to",
  history: "read the history of",
  presence: "see who is in",
  admin: "administer",
};
