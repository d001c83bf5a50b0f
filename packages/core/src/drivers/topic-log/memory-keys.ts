import type { Topic } from "@topicast/protocol";
import type { Clock } from "../../clock.ts";
import { UnavailableError } from "../../errors.ts";
import type { AppId, LoggedMessage } from "../../model.ts";
import { type IdempotencyKey, KEY_LIFE_MS } from "../../ports/topic-log.ts";
import type { Taken } from "./memory-rows.ts";

/** The append that a key stands for. */
export interface KeyRow {
  readonly taken: Taken;
  /** Unix ms. */
  readonly expiresAt: number;
  /** Whether its numbers are written. */
  isWritten: boolean;
  /** Undefined where it isn't written, or where there was no more room for them. */
  messages?: readonly LoggedMessage[];
  /** Of its messages' payloads as JSON. */
  bytes: number;
}

/** Keys of appends and of claims, each for its life from when it was first remembered. */
export interface Keys {
  /** Of all messages that are remembered with keys. */
  readonly bytes: number;
  find(id: string): KeyRow | undefined;
  /** Throws `UnavailableError` where no more keys can be remembered. */
  expectRoom(): void;
  /** Lets a key stand for these numbers; undefined where it no longer stands for `before` (undefined: for nothing). */
  move(id: string, before: KeyRow | undefined, taken: Taken): KeyRow | undefined;
  /** Keeps the messages with their key: a repeat still has what to deliver when history has dropped them. */
  keepMessages(row: KeyRow, messages: readonly LoggedMessage[], bytes: number): void;
  /** False where it was known. Throws as `expectRoom` does. */
  claim(id: string): boolean;
  /** Drops the messages, never the key, that were written first; false where there are none. */
  forgetOldestMessages(): boolean;
  forgetExpired(): void;
}

export interface KeysOptions {
  readonly clock: Pick<Clock, "now">;
  readonly maxKeys: number;
}

export function createKeys({ clock, maxKeys }: KeysOptions): Keys {
  /** In the order in which they expire. */
  const appends = new Map<string, KeyRow>();
  const claims = new Map<string, { readonly expiresAt: number }>();
  /** In the order in which they were written. */
  const withMessages = new Set<KeyRow>();
  let bytes = 0;

  function forgetMessages(row: KeyRow): void {
    if (!withMessages.delete(row)) return;
    bytes -= row.bytes;
    delete row.messages;
  }

  function forgetExpired(): void {
    const now = clock.now();
    for (const [id, row] of appends) {
      if (row.expiresAt > now) break;
      forgetMessages(row);
      appends.delete(id);
    }
    for (const [id, { expiresAt }] of claims) {
      if (expiresAt > now) break;
      claims.delete(id);
    }
  }

  function find(id: string): KeyRow | undefined {
    forgetExpired();
    return appends.get(id);
  }

  function expectRoom(): void {
    forgetExpired();
    const count = appends.size + claims.size;
    if (count < maxKeys) return;
    throw new UnavailableError("store", `${count} idempotency keys are remembered already. Publish less, or without.`);
  }

  return {
    get bytes() {
      return bytes;
    },

    find,
    expectRoom,

    move(id, before, taken) {
      if (find(id) !== before) return undefined;
      const expiresAt = before?.expiresAt ?? clock.now() + KEY_LIFE_MS;
      const row: KeyRow = { taken, expiresAt, isWritten: false, bytes: 0 };
      appends.set(id, row);
      return row;
    },

    keepMessages(row, messages, messagesBytes) {
      if (row.expiresAt <= clock.now()) return;
      row.messages = messages;
      row.bytes = messagesBytes;
      withMessages.add(row);
      bytes += messagesBytes;
    },

    claim(id) {
      forgetExpired();
      if (claims.has(id)) return false;
      expectRoom();
      claims.set(id, { expiresAt: clock.now() + KEY_LIFE_MS });
      return true;
    },

    forgetOldestMessages() {
      const [oldest] = withMessages;
      if (oldest !== undefined) forgetMessages(oldest);
      return oldest !== undefined;
    },

    forgetExpired,
  };
}

/** What a key is found by. JSON, because a sender's name may hold any character. */
export function keyIdOf(app: AppId, topic: Topic, { sender, value }: IdempotencyKey): string {
  return JSON.stringify([app, topic, sender, value]);
}
