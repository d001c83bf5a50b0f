import { subscribe } from "@topicast/core";
import { type HistoryQuery, MAX_PAGE_LIMIT, ok, type SubscribeRequest } from "@topicast/protocol";
import { address, applications, clock, connections, gateway, limiter, log, logger, settings } from "../app.ts";
import { encodeHistory } from "../history-answer.ts";
import { requestHandler } from "../request-handler.ts";

const service = { address, applications, clock, connections, gateway, limiter, log, logger, settings };

export const handler = requestHandler(service, "subscribe", async (request, call) => {
  const { id, action, topic } = request;
  const query = queryOf(request);
  const subscribed = await subscribe(service, {
    caller: call,
    topic,
    target: call.connection,
    ...(query && { query }),
  });
  if (!subscribed.ok) return subscribed;
  const { history, you } = subscribed.value;
  const head = { type: "ack", ...(id !== undefined && { id }), action, topic, ...history.place, you } as const;
  return ok(query !== undefined && "messages" in history ? encodeHistory(head, history, query) : head);
});

/** A client that comes back gets as much as a frame holds. */
function queryOf({ since, last }: SubscribeRequest): HistoryQuery | undefined {
  if (since !== undefined) return { since, limit: MAX_PAGE_LIMIT };
  return last === undefined ? undefined : { last };
}
