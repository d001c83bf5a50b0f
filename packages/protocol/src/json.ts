import { ok, type Result, refuse } from "./codes.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Parses JSON from anyone. Never throws; what it returns can be turned back into text without overflowing the stack. */
export function parseJson(text: string, maxDepth = MAX_JSON_DEPTH): Result<Json> {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    // The engine's message may quote the payload, so it is replaced.
    return refuse("bad_request", "This is not JSON.");
  }
  if (nestsDeeper(value, maxDepth)) return refuse("bad_request", `This JSON nests deeper than ${maxDepth} levels.`);
  return ok(value);
}

/** Whether arrays and objects nest more than `levels` deep; looks no deeper than that. */
export function nestsDeeper(value: Json, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const inner of Object.values(value)) {
    if (nestsDeeper(inner, levels - 1)) return true;
  }
  return false;
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
