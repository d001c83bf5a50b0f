import {
  type Cast,
  checked,
  connect,
  connectBroadcast,
  type Message,
  type Place,
  type Reason,
  type SocketConstructor,
  type StandardSchema,
  type State,
  TopicastError,
} from "@topicast/client";
import { type UsedTopic, useConnectionState, useTopic } from "@topicast/client/react";

/* Nothing runs this: it must compile, and each line under `@ts-expect-error` must not. */

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>) => {};

interface Point {
  readonly x: number;
  readonly y: number;
}

declare const Ws: SocketConstructor;
declare const numbers: StandardSchema<string, number>;

export async function uses(): Promise<Cast> {
  const cast = connect("ws://localhost:4000/message-topic", { token: async () => "token", WebSocket: Ws, flushMs: 10 });
  same<typeof cast.state, State>(true);
  cast.on("state", (state, reason) => {
    same<typeof state, State>(true);
    same<typeof reason, Reason | undefined>(true);
  });
  // @ts-expect-error there is no such event
  cast.on("open", () => {});
  // @ts-expect-error an address is text
  connect(new Error());
  // @ts-expect-error so is a token
  connect("ws://localhost", { token: 17 });

  const room = cast.topic<Point>("room/1", { last: 10 });
  const off = room.on("message", (message) => {
    same<typeof message, Message<Point>>(true);
    same<typeof message.me, boolean>(true);
  });
  off();
  // @ts-expect-error it needs a y, too
  void room.publish({ x: 1 });
  const place = await room.publish({ x: 1, y: 2 }, { echo: false });
  same<typeof place, Place | undefined>(true);
  for await (const { payload } of room) same<typeof payload, Point>(true);
  room.on("lost", ({ after }) => same<typeof after, Place>(true));
  room.on("error", ({ code, retryable }) => [code.length, retryable === true]);

  const unknowing = cast.topic("room/2");
  unknowing.on("message", ({ payload }) => same<typeof payload, unknown>(true));

  const valid = checked(cast.topic("room/3"), numbers);
  valid.on("message", ({ payload }) => same<typeof payload, number>(true));
  await valid.publish("1");
  // @ts-expect-error the schema takes text
  await valid.publish(1);

  const jam = connectBroadcast<{ readonly type: string }>("ws://localhost:4000/message-broadcast", { room: "jam/1" });
  jam.on("message", (message) => same<typeof message._me, boolean>(true));
  jam.on("message", ({ type }) => same<typeof type, string>(true));
  jam.send({ type: "act" });

  const error: unknown = new TopicastError("closed");
  if (error instanceof TopicastError) same<typeof error.retryable, boolean>(true);
  return cast;
}

export function Chat(cast: Cast): UsedTopic<Point> {
  const state = useConnectionState(cast);
  same<typeof state, State>(true);
  return useTopic<Point>(cast, "room/1", { keep: 10, onMessage: ({ payload }) => same<typeof payload, Point>(true) });
}
