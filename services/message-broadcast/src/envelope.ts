import type { Delivery, Envelope, Fanout } from "@topicast/core";
import { encodeBroadcast, type JsonObject } from "@topicast/protocol";

/** A message is the sender's own object and some marks, one of which says whose it is: so the sender gets frames of its own. */
export const broadcastEnvelope: Envelope = {
  frames: (fanout) => encodeAll(fanout, false),
  framesForSender: (fanout) => encodeAll(fanout, true),
};

function encodeAll({ epoch = "", messages }: Fanout, isSender: boolean): string[] {
  return messages.map(({ payload, from, time, seq = 0 }: Delivery) =>
    // What this service publishes is always wrapped, and always numbered.
    encodeBroadcast(payload as JsonObject, {
      _me: isSender,
      _now: time,
      ...(from !== undefined && { _from: from }),
      _seq: seq,
      _epoch: epoch,
    }),
  );
}
