import type { Delivery, Envelope, MessagesFanout } from "@topicast/core";
import { encodeBroadcast, type JsonObject } from "@topicast/protocol";

/** A message is the sender's own object and some marks, one of which says whose it is: so the sender gets frames of its own. */
export const broadcastEnvelope: Envelope = {
  joins: false,
  frames: (fanout) => encodeAll(fanout, false),
  framesForSender: (fanout) => encodeAll(fanout, true),
};

function encodeAll({ epoch, messages }: MessagesFanout, isSender: boolean): string[] {
  return messages.map(({ payload, from, time, seq }: Delivery) =>
    // What this service publishes is always wrapped.
    encodeBroadcast(payload as JsonObject, {
      _me: isSender,
      _now: time,
      ...(from !== undefined && { _from: from }),
      ...(seq !== undefined && epoch !== undefined && { _seq: seq, _epoch: epoch }),
    }),
  );
}
