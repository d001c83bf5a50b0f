import {
  ackFrameSchema,
  broadcastMessageSchema,
  closingFrameSchema,
  directFrameSchema,
  errorFrameSchema,
  messageSchema,
  messagesFrameSchema,
  placeSchema,
  pongFrameSchema,
  REQUEST_SCHEMAS,
  recoveryFrameSchema,
  topicSchema,
} from "@topicast/protocol/schemas";
import { any, type GenericSchema } from "valibot";

interface Message {
  readonly schema: GenericSchema;
  readonly summary: string;
  /** Whether its `id` says which request and reply belong together. */
  readonly hasId?: true;
}

/** What clients send and are sent. */
export const MESSAGES = {
  subscribe: { schema: REQUEST_SCHEMAS.subscribe, summary: "Join a topic.", hasId: true },
  unsubscribe: { schema: REQUEST_SCHEMAS.unsubscribe, summary: "Leave a topic.", hasId: true },
  publish: { schema: REQUEST_SCHEMAS.publish, summary: "Publish to a topic.", hasId: true },
  history: { schema: REQUEST_SCHEMAS.history, summary: "Read a topic's history.", hasId: true },
  ping: { schema: REQUEST_SCHEMAS.ping, summary: "Keep the connection, and ask what is new.", hasId: true },
  anything: {
    schema: any(),
    summary:
      'Any text at all: a JSON object is broadcast as it is, anything else under `data`; `ping` alone and `{"action":"ping"}` are answered.',
  },
  ack: { schema: ackFrameSchema, summary: "A request was done.", hasId: true },
  error: { schema: errorFrameSchema, summary: "A request was refused, or failed.", hasId: true },
  pong: { schema: pongFrameSchema, summary: "The answer to a ping.", hasId: true },
  messages: {
    schema: messagesFrameSchema,
    summary: "Messages of a topic; they may come before the ack of the subscribe.",
  },
  direct: { schema: directFrameSchema, summary: "From a backend to this connection or its user." },
  closing: { schema: closingFrameSchema, summary: "A subscription ends, or the connection." },
  broadcastMessage: {
    schema: broadcastMessageSchema,
    summary: "What somebody in the room sent, with the service's marks.",
  },
  recovery: { schema: recoveryFrameSchema, summary: "How the replay after `since` went." },
} as const satisfies Record<string, Message>;

export type MessageName = keyof typeof MESSAGES;

/** Schemas that messages share. */
export const SHARED_SCHEMAS = { Topic: topicSchema, Place: placeSchema, Message: messageSchema };

export function schemaNameOf(name: MessageName): string {
  const kind = name in REQUEST_SCHEMAS ? "Request" : "Frame";
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}${kind}`;
}
