import {
  isJsonObject,
  type Json,
  type JsonObject,
  ok,
  parseTopicPattern,
  type Result,
  refuse,
} from "@topicast/protocol";
import { type Grant, OPERATIONS, type Operation } from "./access.ts";

/** Characters (code points) of a `sub`. */
const MAX_SUB_LENGTH = 128;
/** Patterns of a `cap`. API Gateway hands them on with each of the connection's messages. */
export const MAX_CAP_PATTERNS = 100;
/** How far behind our clock may be where a token says from when it is good. Its end is exact. */
const EARLY_TOLERANCE_MS = 5_000;

export interface TokenClaims {
  readonly user: string;
  readonly cap: readonly Grant[];
  /** Unix ms. */
  readonly expiresAt: number;
}

/** Checks what a token says. The faults name the claim, and nothing that is in it. Never throws. */
export function parseClaims({ sub, cap, exp, nbf, iat }: JsonObject, now: number): Result<TokenClaims> {
  const user = parseSub(sub);
  if (!user.ok) return user;
  const grants = cap === undefined ? ok([]) : parseCap(cap);
  if (!grants.ok) return grants;
  const expiresAt = msOf(exp);
  if (expiresAt === undefined) return fault("`exp` must be there: Unix seconds.");
  if (expiresAt <= now) return fault("`exp` has passed.");
  for (const [name, value] of Object.entries({ nbf, iat })) {
    const from = value === undefined ? now : msOf(value);
    if (from === undefined) return fault(`\`${name}\` must be Unix seconds.`);
    if (from > now + EARLY_TOLERANCE_MS) return fault(`\`${name}\` is in the future.`);
  }
  return ok({ user: user.value, cap: grants.value, expiresAt });
}

function parseSub(sub: Json | undefined): Result<string> {
  // A code point is at most two units: this bounds the work of counting them.
  if (typeof sub !== "string" || sub === "" || sub.length > 2 * MAX_SUB_LENGTH || [...sub].length > MAX_SUB_LENGTH) {
    return fault(`\`sub\` must be there: a string of 1 to ${MAX_SUB_LENGTH} characters.`);
  }
  return /[\p{Cc}\p{Cs}]/u.test(sub) ? fault("`sub` holds a control character or half of a character.") : ok(sub);
}

/** Checks a map from topic patterns to operations, which is what a token or an operator may grant. Never throws. */
function parseCap(cap: Json): Result<readonly Grant[]> {
  if (!isJsonObject(cap)) return fault("`cap` must be an object of lists of operations.");
  const entries = Object.entries(cap);
  if (entries.length > MAX_CAP_PATTERNS) return fault(`\`cap\` has more than ${MAX_CAP_PATTERNS} patterns.`);
  const grants: Grant[] = [];
  for (const [pattern, operations] of entries) {
    const topics = parseTopicPattern(pattern, "cap");
    if (!topics.ok) return topics;
    if (!Array.isArray(operations) || !operations.every(isOperation)) {
      return fault(`\`cap\` must map each pattern to a list of: ${OPERATIONS.join(", ")}.`);
    }
    grants.push({ topics: topics.value, rights: [...new Set(operations)] });
  }
  return ok(grants);
}

function isOperation(value: unknown): value is Operation {
  return OPERATIONS.some((operation) => operation === value);
}

/** Unix ms of a date in seconds; `undefined` where it is none. */
function msOf(seconds: Json | undefined): number | undefined {
  if (typeof seconds !== "number" || seconds < 0) return undefined;
  const ms = Math.floor(seconds * 1_000);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

function fault(message: string) {
  return refuse("unauthorized", message);
}
