import type { ConnectionId } from "@topicast/core";
import type { Message, Place, Received } from "@topicast/protocol";

/** A batch that someone published, or tried to. Its payloads say which it is, and which of the batch. */
export interface Publication {
  readonly id: number;
  readonly topic: string;
  readonly count: number;
  readonly key?: string;
  readonly ephemeral: boolean;
  /** Of a tick, only the newest of this name and sender is wanted. */
  readonly latest?: string;
  readonly echo: boolean;
  readonly startedAt: number;
  /** The connections that it was sent over. */
  readonly connections: Set<ConnectionId>;
  acknowledged?: { readonly at: number; readonly place: Place | undefined };
}

export interface Payload {
  readonly publication: number;
  readonly index: number;
}

/** What came out of a receiver at one time, and where it stood then. */
export interface Step extends Received {
  readonly at: number;
  readonly place: Place | undefined;
  /** Unix ms at which the client last knew before that it misses nothing. */
  readonly syncedAt: number;
}

/** A client's interest in a topic, from its first subscribe to its unsubscribe, over however many connections. */
export interface Session {
  readonly client: string;
  readonly topic: string;
  /** The place in the ack of its first subscribe. */
  began?: Place;
  /** Each subscribe that was acknowledged; Unix ms. */
  readonly subscribes: { readonly connection: ConnectionId; readonly ackedAt: number }[];
  /** Unix ms at which it last knew that it misses nothing. */
  syncedAt: number;
  readonly steps: Step[];
  isOver: boolean;
}

/** From the ack of a subscribe on, a connection is a topic's subscriber for sure; until it is told otherwise or ends. */
export interface Membership {
  readonly connection: ConnectionId;
  readonly topic: string;
  /** In the ack: what comes after it comes live. */
  readonly place: Place;
  /** Unix ms at which the client got the ack. */
  readonly from: number;
  until: number;
}

export interface Deletion {
  readonly topic: string;
  readonly startedAt: number;
  endedAt: number;
  isDone: boolean;
}

/** What a run did and what came of it, as its clients saw it. */
export interface Journal {
  readonly publications: Publication[];
  readonly sessions: Session[];
  readonly memberships: Membership[];
  /** Each request to delete a topic. */
  readonly deletions: Deletion[];
  /** Faults that were seen at once. */
  readonly violations: string[];
}

export function createJournal(): Journal {
  return { publications: [], sessions: [], memberships: [], deletions: [], violations: [] };
}

/** A connection is no longer a subscriber for sure: of one topic, or of any. */
export function endMemberships(journal: Journal, at: number, isMeant: (membership: Membership) => boolean): void {
  for (const membership of journal.memberships) {
    if (membership.until === Infinity && isMeant(membership)) membership.until = at;
  }
}

/** Whether a request to delete the topic was on its way at any moment from then on. */
export function isDeletedSince({ deletions }: Journal, topic: string, since: number): boolean {
  return deletions.some((deletion) => deletion.topic === topic && deletion.endedAt >= since);
}

export function payloadOf({ payload }: Message): Payload {
  return payload as unknown as Payload;
}
