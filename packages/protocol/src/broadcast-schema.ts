import * as v from "valibot";
import type { BroadcastMarks } from "./broadcast.ts";
import { timeSchema } from "./frame-schemas.ts";
import { seqSchema } from "./places.ts";
import { anyJsonSchema } from "./schema.ts";

const markEntries = {
  _me: v.pipe(v.boolean(), v.description("Whether the receiver is the connection that sent it.")),
  _now: timeSchema,
  _from: v.exactOptional(v.pipe(v.string(), v.description("Who sent it; absent where a backend did."))),
  _seq: v.exactOptional(v.pipe(seqSchema, v.description("Its number in the room; absent where it is ephemeral."))),
  _epoch: v.exactOptional(v.pipe(v.string(), v.description("What its number counts in."))),
} as const satisfies { readonly [Mark in keyof BroadcastMarks]-?: v.GenericSchema<BroadcastMarks[Mark]> };

/** A message of a room as its members get it: the sender's own object with these marks, or what else was sent, under `data`. */
export const broadcastMessageSchema = v.objectWithRest(markEntries, anyJsonSchema);
