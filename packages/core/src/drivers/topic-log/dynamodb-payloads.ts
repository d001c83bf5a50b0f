import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Json } from "@topicast/protocol";
import { type Item, text, textOf } from "../dynamodb/attributes.ts";

/** Longer payloads are deflated: JSON of 1 KB, whatever it holds, then fits into the 1 KB of a write unit with all that stands around it. */
const DEFLATE_OVER_BYTES = 600;
/** Far above what a publish may bring. */
const MAX_INFLATED_BYTES = 4 * 1024 * 1024;

/** The payloads of a row, as it has them: JSON of an array, deflated where long. */
export function packPayloads(payloads: readonly Json[]): AttributeValue {
  return pack(JSON.stringify(payloads));
}

export function payloadsOf(item: Item): readonly Json[] {
  return JSON.parse(unpack(item.m)) as readonly Json[];
}

function pack(json: string): AttributeValue {
  return Buffer.byteLength(json) > DEFLATE_OVER_BYTES ? { B: deflateRawSync(json) } : text(json);
}

function unpack(packed: AttributeValue | undefined): string {
  if (packed?.B !== undefined) return inflateRawSync(packed.B, { maxOutputLength: MAX_INFLATED_BYTES }).toString();
  return textOf({ m: packed ?? { NULL: true } }, "m");
}
