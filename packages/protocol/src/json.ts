import { ok, type Result, refuse } from "./codes.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * Parses JSON from anyone. Never throws. What it returns can be turned back into text: nothing overflows the stack, and nothing changes on
 * the way, as `1e400` would, which reads as Infinity and is written as `null`.
 */
export function parseJson(text: string, maxDepth = MAX_JSON_DEPTH): Result<Json> {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    // The engine's message may quote the payload, so it is replaced.
    return refuse("bad_request", "This is not JSON.");
  }
  const fault = faultIn(value, maxDepth);
  if (fault === "depth") return refuse("bad_request", `This JSON nests deeper than ${maxDepth} levels.`);
  return fault === "number" ? refuse("bad_request", "This JSON has a number beyond 1.8e308.") : ok(value);
}

/** Looks no deeper than `levels` arrays and objects. */
function faultIn(value: Json, levels: number): "depth" | "number" | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : "number";
  if (typeof value !== "object" || value === null) return undefined;
  if (levels === 0) return "depth";
  for (const inner of Object.values(value)) {
    const fault = faultIn(inner, levels - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

export function isJsonObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Bytes of a string in UTF-8, a lone surrogate counting as the three bytes of the replacement character. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    const isPair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
    // Four bytes for two units: the second unit was counted as one already, the first adds two.
    if (isPair) i++;
  }
  return bytes;
}
