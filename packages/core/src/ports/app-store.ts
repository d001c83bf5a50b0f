import type { Grant } from "../access.ts";
import type { AppId } from "../model.ts";

/** One of an application's keys, without its secret, which nobody keeps. */
export interface ApplicationKey {
  /** Unique within its application: 1 to 16 characters of a–z 0–9. */
  readonly id: string;
  /** SHA-256 of the secret, in hex. */
  readonly secretHash: string;
  /** The HS256 signing key of its tokens, encrypted; see `application-key.ts`. */
  readonly sealedSigningKey: string;
  readonly grants: readonly Grant[];
  /** Unix ms. */
  readonly createdAt: number;
  /** Unix ms after which it opens nothing. */
  readonly expiresAt?: number;
}

export interface Application {
  /** 1 to 32 characters of a–z 0–9 and `-`, beginning with a letter or digit. */
  readonly name: string;
  /**
   * What all of its data is kept under. Another one each time an application of this name is made, so that a new one never meets what an older one
   * left behind.
   */
  readonly id: AppId;
  /** As `TOPIC_RULES` has them, a JSON text; they come before those of the deployment. */
  readonly topicRules: string;
  /** The most connections that it may have at once in each service; absent where it may have any number. */
  readonly maxConnections?: number;
  /** Unix ms. */
  readonly createdAt: number;
  /** Unix ms after which there is no such application. */
  readonly expiresAt?: number;
  /** The older ones first, those of one millisecond by their ids. */
  readonly keys: readonly ApplicationKey[];
}

/** What can be changed of an application; `null` takes a limit away. */
export interface ApplicationChanges {
  readonly topicRules?: string;
  readonly maxConnections?: number | null;
  readonly expiresAt?: number | null;
}

export interface ApplicationPage {
  readonly applications: readonly Application[];
  /** Present where more may follow. */
  readonly cursor?: string;
}

/**
 * Applications and their keys. One whose `expiresAt` has passed isn't there any more: no method finds it, and its name is free.
 *
 * Reads are fresh. Every method may throw `UnavailableError`: then a write may or may not have happened.
 */
export interface AppStore {
  /** False where there is another one of this name. Repeating it is safe. */
  create(application: Application): Promise<boolean>;
  get(name: string): Promise<Application | undefined>;
  /** In the order of their names. A page may hold fewer than `limit` and still have a cursor. */
  list(query: { readonly cursor?: string; readonly limit: number }): Promise<ApplicationPage>;
  /** The application as it is after; `undefined` where there is none. */
  change(name: string, changes: ApplicationChanges): Promise<Application | undefined>;
  /** Adds a key, or replaces that of its id; not where the application has `maxKeys` others, expired ones among them. */
  addKey(
    name: string,
    key: ApplicationKey,
    maxKeys: number,
  ): Promise<"added" | "too_many_keys" | "unknown_application">;
  /** Whether there was one. */
  removeKey(name: string, keyId: string): Promise<boolean>;
  /** Whether there was one. */
  remove(name: string): Promise<boolean>;
}
