import { isPassing, TopicastError } from "./errors.ts";
import type { Frame, Link } from "./link.ts";
import type { Item } from "./outbox.ts";
import { createSession } from "./session.ts";
import { settingsOf } from "./settings.ts";
import { createTopic, type Subscription } from "./topic.ts";
import type { Cast, ConnectOptions, TopicOptions } from "./types.ts";

/**
 * Connects to message-topic, and stays connected over as many WebSockets as that takes. `url` is the service's, such as
 * `ws://localhost:4000/message-topic`.
 */
export function connect(url: string, options: ConnectOptions = {}): Cast {
  /** Topics that a ping may ask about. */
  const MAX_PLACES = 50;
  const settings = settingsOf(options);
  const topics = new Map<string, Subscription>();
  const items = new Set<Item>();

  const session = createSession(settings, {
    address: () => url + (url.includes("?") ? "&" : "?"),
    greet: (link) => Promise.all([...topics.values()].map(({ sync }) => sync(link))),
    hear,
    ping: (link) => void ping(link, [...topics.values()]),
    closed() {
      for (const { topic } of topics.values()) topic.unsubscribe();
      for (const item of items) item.reject(new TopicastError("closed"));
    },
  });

  function hear(frame: Frame, link: Link): void {
    const subscription = topics.get(frame.topic);
    session.you = frame.you ?? session.you;
    // While two links serve, what has no number comes by both.
    if (frame.type === "messages" && (frame.epoch || link === session.link)) subscription?.receive(frame);
    if (frame.type === "closing") {
      if (frame.reconnect) subscription?.renew(link);
      else subscription?.refuse(frame.reason);
    }
  }

  async function ping(link: Link, asked: readonly Subscription[]): Promise<void> {
    const rest = asked.filter(({ topic }) => topic.place);
    do {
      const some = rest.splice(0, MAX_PLACES);
      const places = Object.fromEntries(some.map(({ topic }) => [topic.name, topic.place]));
      const { code, behind = [] } = await session.request(link, JSON.stringify({ action: "ping", places }));
      for (const name of behind) topics.get(name)?.check();
      if (isPassing(code)) for (const { heard } of some) heard();
    } while (rest[0]);
  }

  return Object.assign(session, {
    topic(name: string, start: TopicOptions = {}) {
      const known = topics.get(name) ?? createTopic(name, start, session, settings, items, ping);
      topics.set(name, known);
      return known.topic as never;
    },
  });
}
