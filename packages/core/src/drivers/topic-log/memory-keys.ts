import type { Topic } from "@topicast/protocol";
import type { Clock } from "../../clock.ts";
import { UnavailableError } from "../../errors.ts";
import type { AppId, LoggedMessage } from "../../model.ts";
import { type IdempotencyKey, KEY_LIFE_MS } from "../../ports/topic-log.ts";
import { createOrder } from "./memory-order.ts";
import type { Taken } from "./memory-rows.ts";

interface Claim {
  /** Unix ms. */
  readonly expiresAt: number;
}

/** The append that a key stands for. */
export interface KeyRow extends Claim {
  readonly taken: Taken;
  /** Whether its numbers are written. */
  isWritten: boolean;
  /** Undefined where it isn't written, or where there was no more room for them. */
  messages?: readonly LoggedMessage[];
  /** Of its messages. */
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
  const appends = createExpiringRows<KeyRow>(clock, forgetMessages);
  const claims = createExpiringRows<Claim>(clock);
  /** Rows whose messages are kept; those that were written first are the oldest. */
  const withMessages = createOrder<KeyRow>();
  let bytes = 0;

  function forgetMessages(row: KeyRow): void {
    if (!withMessages.delete(row)) return;
    bytes -= row.bytes;
    delete row.messages;
  }

  function forgetExpired(): void {
    appends.forgetExpired();
    claims.forgetExpired();
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

    find: appends.find,
    expectRoom,

    move(id, before, taken) {
      if (appends.find(id) !== before) return undefined;
      const expiresAt = before?.expiresAt ?? clock.now() + KEY_LIFE_MS;
      const row: KeyRow = { taken, expiresAt, isWritten: false, bytes: 0 };
      appends.set(id, row);
      return row;
    },

    keepMessages(row, messages, messagesBytes) {
      if (row.expiresAt <= clock.now()) return;
      row.messages = messages;
      row.bytes = messagesBytes;
      withMessages.touch(row);
      bytes += messagesBytes;
    },

    claim(id) {
      if (claims.find(id) !== undefined) return false;
      expectRoom();
      claims.set(id, { expiresAt: clock.now() + KEY_LIFE_MS });
      return true;
    },

    forgetOldestMessages() {
      const { oldest } = withMessages;
      if (oldest !== undefined) forgetMessages(oldest);
      return oldest !== undefined;
    },

    forgetExpired,
  };
}

/** Rows that expire in the order in which their ids came first: replacing a row doesn't give it a longer life. */
function createExpiringRows<Row extends Claim>({ now }: Pick<Clock, "now">, onExpired?: (row: Row) => void) {
  const rows = new Map<string, Row>();
  const ids = createOrder<string>();

  function oldest(): Row | undefined {
    return ids.oldest === undefined ? undefined : rows.get(ids.oldest);
  }

  function forgetExpired(): void {
    for (let row = oldest(); row !== undefined && row.expiresAt <= now(); row = oldest()) {
      const id = ids.oldest as string;
      ids.delete(id);
      rows.delete(id);
      onExpired?.(row);
    }
  }

  return {
    get size() {
      return rows.size;
    },

    forgetExpired,

    find(id: string): Row | undefined {
      forgetExpired();
      return rows.get(id);
    },

    set(id: string, row: Row): void {
      if (!rows.has(id)) ids.touch(id);
      rows.set(id, row);
    },
  };
}

/** What a key is found by. JSON, because a sender's name may hold any character. */
export function keyIdOf(app: AppId, topic: Topic, { sender, value }: IdempotencyKey): string {
  return JSON.stringify([app, topic, sender, value]);
}
