import { ok, type Result, refuse } from "./codes.ts";
import { MAX_TOPIC_LENGTH } from "./limits.ts";

/** A name that passed {@link parseTopic}. */
export type Topic = string & { readonly __brand: "Topic" };

const CHARACTERS = "[\\p{L}\\p{M}\\p{N}_\\-.:@=+/]+";
const ALLOWED = new RegExp(`^${CHARACTERS}$`, "u");
/** Last segments that are verbs of the HTTP paths. */
const VERBS = ["messages", "subscribers"];

/** What {@link parseTopic} takes, as a pattern (ECMAScript, with its flag `u`); only length and NFC are not in it. */
export const TOPIC_PATTERN = `^(?!(?:.*/)?\\.{0,2}(?:/|$))(?!(?:.*/)?(?:${VERBS.join("|")})$)${CHARACTERS}$`;

/** Checks a topic's (or room's) name. `field` is what the message calls it. Never throws. */
export function parseTopic(name: unknown, field = "topic"): Result<Topic> {
  if (name === undefined) return refuse("bad_request", `\`${field}\` is missing.`);
  if (typeof name !== "string") return refuse("bad_request", `\`${field}\` must be a string.`);
  const fault = faultOf(name);
  return fault === undefined ? ok(name as Topic) : refuse("invalid_topic", `\`${field}\` ${fault}`);
}

function faultOf(name: string): string | undefined {
  if (name === "") return "is empty.";
  // A code point is at most two units: this bounds the work below.
  if (name.length > 2 * MAX_TOPIC_LENGTH || [...name].length > MAX_TOPIC_LENGTH) {
    return `is longer than ${MAX_TOPIC_LENGTH} characters.`;
  }
  if (name.startsWith("$")) return "begins with `$`; such names are reserved.";
  if (!ALLOWED.test(name)) return "may hold only letters, marks, digits and _ - . : @ = + / (no spaces).";
  if (name.normalize("NFC") !== name) return "is not in Unicode normalization form NFC; normalize it first.";
  return segmentFault(name.split("/"));
}

function segmentFault(segments: readonly string[]): string | undefined {
  if (segments.includes("")) return "has an empty segment: no `/` at the ends, no `//`.";
  if (segments.includes(".") || segments.includes("..")) return "has a segment `.` or `..`.";
  const last = segments.at(-1) ?? "";
  return VERBS.includes(last) ? `ends with the segment \`${last}\`, which HTTP paths use as a verb.` : undefined;
}
