import { type ConnectionId, MAX_SHARDS, type Shard } from "./model.ts";

/** Where a connection is among `MAX_SHARDS` places, spread evenly whatever ids have in common: those of API Gateway begin with the time. */
export function slotOf(id: ConnectionId): number {
  // FNV-1a, whose low bits are the better for its high ones.
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & (MAX_SHARDS - 1);
}

/** The first and the last slot of a shard. */
export function slotsOf({ index, of }: Shard): readonly [number, number] {
  const width = MAX_SHARDS / of;
  return [index * width, (index + 1) * width - 1];
}

/** The shards, counted on, of which `parts` make up this one. */
export function partsOf({ index, of }: Shard, parts: number): readonly Shard[] {
  return Array.from({ length: parts }, (_, part) => ({ index: index * parts + part, of: of * parts }));
}

/** A slot as keys have it: two hex digits, which sort as slots do. */
export function slotText(slot: number): string {
  return slot.toString(16).padStart(2, "0");
}
