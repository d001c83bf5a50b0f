import { expect } from "@jest/globals";
import type { Frame, RawClient } from "@topicast/testing";
import { type Document, readDocument, stepsOf } from "./document-schemas.ts";

/** What it says of frames is all that there may be. */
const asyncApi = readDocument("asyncapi", { closed: true });

export type ChannelName = "topic" | "broadcast";

/** `topic.receive.subscribe`: which messages a channel's operations name, as the service sees them. */
export function documentedMessages(): Set<string> {
  return new Set(
    Object.values<Document>(asyncApi.document.operations).flatMap(({ action, channel, messages, reply }) => {
      const [, name] = stepsOf(channel.$ref);
      const named = messages.map((message: Document) => `${name}.${action}.${messageOf(message)}`);
      return [...named, ...(reply?.messages ?? []).map((message: Document) => `${name}.send.${messageOf(message)}`)];
    }),
  );
}

function messageOf({ $ref }: Document): string {
  return stepsOf($ref).at(-1) ?? "";
}

/** Sends only what the document has. */
export function sendDocumented(client: RawClient, message: Frame, seen: Set<string>): void {
  expectValid(message.action, message);
  seen.add(`topic.receive.${message.action}`);
  client.send(message);
}

/** Everything that a client got must be as the document says. */
export function expectDocumentedFrames(channel: ChannelName, { frames }: RawClient, seen: Set<string>): void {
  for (const frame of frames) {
    const name = channel === "broadcast" && "_now" in frame ? "broadcastMessage" : frame.type;
    expectValid(name, frame);
    seen.add(`${channel}.send.${name}`);
  }
}

function expectValid(message: string, frame: Frame): void {
  const payload = asyncApi.document.components.messages[message]?.payload.$ref;
  if (payload === undefined) throw new Error(`asyncapi.yaml has no message ${message}: ${JSON.stringify(frame)}`);
  const validate = asyncApi.validator(...stepsOf(payload));
  validate(frame);
  expect([frame, validate.errors]).toEqual([frame, null]);
}
