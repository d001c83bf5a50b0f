import type { Node } from "../json-schema.ts";
import type { MessageName } from "./messages.ts";

export type ChannelName = "topic" | "broadcast";

interface Exchange {
  /** As the service sees it. */
  readonly action: "receive" | "send";
  readonly channel: ChannelName;
  readonly messages: readonly MessageName[];
  /** With one of these; not every message is answered. */
  readonly reply?: readonly MessageName[];
  readonly summary: string;
}

function request(message: MessageName, summary: string): Exchange {
  const reply = message === "ping" ? "pong" : "ack";
  return { action: "receive", channel: "topic", messages: [message], reply: [reply, "error"], summary };
}

const EXCHANGES: Readonly<Record<string, Exchange>> = {
  subscribe: request("subscribe", "A client joins a topic."),
  unsubscribe: request("unsubscribe", "A client leaves a topic."),
  publish: request("publish", "A client publishes; where it gave no `id`, it is answered only if that fails."),
  readHistory: request("history", "A client asks for what it missed."),
  ping: request("ping", "A client keeps its connection."),
  deliver: {
    action: "send",
    channel: "topic",
    messages: ["messages", "direct", "closing"],
    summary: "What comes to a client without being asked for.",
  },
  broadcast: {
    action: "receive",
    channel: "broadcast",
    messages: ["anything"],
    reply: ["pong", "error"],
    summary: "A client broadcasts, or pings; only a ping and what fails are answered.",
  },
  deliverBroadcast: {
    action: "send",
    channel: "broadcast",
    messages: ["broadcastMessage", "recovery", "closing"],
    summary: "What comes to the members of a room; the sender gets its own message, too.",
  },
};

export function describeOperations(): Record<string, Node> {
  return Object.fromEntries(
    Object.entries(EXCHANGES).map(([name, { action, channel, messages, reply, summary }]) => [
      name,
      {
        action,
        channel: { $ref: channelRef(channel) },
        summary,
        messages: messages.map((message) => messageRef(channel, message)),
        ...(reply && {
          reply: {
            channel: { $ref: channelRef(channel) },
            messages: reply.map((message) => messageRef(channel, message)),
          },
        }),
      },
    ]),
  );
}

/** The messages of a channel, by their names in the document. */
export function messagesOf(channel: ChannelName): Record<string, Node> {
  const exchanges = Object.values(EXCHANGES).filter((exchange) => exchange.channel === channel);
  const names = new Set(exchanges.flatMap(({ messages, reply = [] }) => [...messages, ...reply]));
  return Object.fromEntries([...names].map((name) => [name, { $ref: `#/components/messages/${name}` }]));
}

function channelRef(channel: ChannelName): string {
  return `#/channels/${channel}`;
}

function messageRef(channel: ChannelName, message: MessageName): Node {
  return { $ref: `${channelRef(channel)}/messages/${message}` };
}
