import type { Envelope } from "@topicast/core";
import { encodeMessages } from "@topicast/protocol";

/** Every subscriber gets the same frames; a client knows its own messages by `from`. */
export const topicEnvelope: Envelope = {
  joins: true,
  frames: ({ topic, epoch, messages }) => encodeMessages({ topic, epoch }, messages),
};
