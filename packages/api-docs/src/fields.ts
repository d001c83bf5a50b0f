import { DEFAULT_PAGE_LIMIT } from "@topicast/protocol";

/** What a field is for, wherever it goes by its name and its schema says nothing of it. */
export const FIELDS: Readonly<Record<string, string>> = {
  id: "Chosen by the client; the reply carries it back.",
  payload: "Any JSON.",
  payloads: "A batch, applied whole or not at all. It excludes `payload`.",
  ephemeral: "No number, no history. Where it isn't said, the topic's rule decides.",
  latest: "Implies `ephemeral`: within a tick only the newest of this name and sender is delivered.",
  key: "Idempotency key: whoever repeats the publish with it within 5 minutes gets the first answer.",
  echo: "Whether this connection gets it, too. `false` needs an `id`.",
  from: "Whom subscribers see as the sender.",
  last: "Asks for the newest messages, this many.",
  limit: `The most that a page holds (${DEFAULT_PAGE_LIMIT} where it isn't said).`,
  epoch: "Within it numbers count 1, 2, 3, …",
  seq: "A message's number.",
  places: "What the client has of its topics: everything up to a place.",
};
