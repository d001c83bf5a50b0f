import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type {
  Cast,
  Connection,
  Lost,
  Message,
  Place,
  PublishOptions,
  State,
  TopicastFault,
  TopicOptions,
} from "./types.ts";

/** The state of a connection; the component renders anew when it changes. */
export function useConnectionState(connection: Connection): State {
  const listen = useCallback((onChange: () => void) => connection.on("state", onChange), [connection]);
  const read = () => connection.state;
  return useSyncExternalStore(listen, read, read);
}

export interface UseTopicOptions<T> extends TopicOptions {
  /** How many of the newest messages to hold. Default 100. */
  readonly keep?: number;
  /** Called with each message, once and in order; for who makes more of them than a list. */
  readonly onMessage?: (message: Message<T>) => void;
}

export interface UsedTopic<T> {
  /** The newest ones since the component was there, oldest first. */
  readonly messages: readonly Message<T>[];
  publish(payload: T, options?: PublishOptions): Promise<Place | undefined>;
  /** What couldn't be had any more, the latest; `messages` begins behind it. */
  readonly lost: Lost | undefined;
  /** The service refused the subscription. */
  readonly error: TopicastFault | undefined;
}

interface Seen<T> extends Pick<UsedTopic<T>, "messages" | "lost" | "error"> {}

const NOTHING = { messages: [], lost: undefined, error: undefined };

/** Subscribes to a topic while the component is there. Make the connection outside of components. */
export function useTopic<T = unknown>(cast: Cast, name: string, options: UseTopicOptions<T> = {}): UsedTopic<T> {
  const topic = cast.topic<T>(name, options);
  const [seen, setSeen] = useState<Seen<T>>(NOTHING);
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => {
    setSeen(NOTHING);
    const offs = [
      topic.on("error", (error) => setSeen((before) => ({ ...before, error }))),
      topic.on("lost", (lost) => setSeen({ ...NOTHING, lost })),
      topic.on("message", (message) => {
        const { keep = 100, onMessage } = latest.current;
        setSeen((before) => ({ ...before, messages: [...before.messages, message].slice(-keep) }));
        onMessage?.(message);
      }),
    ];
    return () => {
      for (const off of offs) off();
    };
  }, [topic]);
  return { ...seen, publish: topic.publish };
}
