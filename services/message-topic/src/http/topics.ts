import { allow, deleteTopic, describeTopic, listSubscribers, may, readHistory } from "@topicast/core";
import { type HttpAnswer, type HttpCall, json, jsonText } from "@topicast/core/lambda";
import { parseHistoryQuery, parsePageQuery, parseTopic, type Topic } from "@topicast/protocol";
import { encodeHistory } from "../history-answer.ts";
import { service } from "./service.ts";

/** `{topic…}`, then perhaps a verb, in what stands for `{proxy+}`. No topic's name ends with one. */
const PATH = /^(?:(.*)\/)?(messages|subscribers)$/;

/** Topics as a backend sees them: where they stand, who subscribes to them, and what their history keeps. */
export const topicRoutes = {
  async "GET /topics/{proxy+}"(call: HttpCall): Promise<HttpAnswer> {
    const [, path = "", verb] = PATH.exec(call.rest) ?? [undefined, call.rest];
    const topic = parseTopic(path);
    if (!topic.ok) return topic;
    if (verb === "messages") return history(call, topic.value);
    return verb === "subscribers" ? subscribers(call, topic.value) : describe(call, topic.value);
  },

  async "DELETE /topics/{proxy+}"(call: HttpCall): Promise<HttpAnswer> {
    const topic = parseTopic(call.rest);
    if (!topic.ok) return topic;
    const allowed = allow(call, "admin", topic.value);
    if (!allowed.ok) return allowed;
    await deleteTopic(service, call.app, topic.value);
    return { statusCode: 204 };
  },
};

/** Who may subscribe learns where a topic stands anyway. */
async function describe(call: HttpCall, topic: Topic): Promise<HttpAnswer> {
  const allowed = allow(call, may(call, "subscribe", topic) ? "subscribe" : "admin", topic);
  if (!allowed.ok) return allowed;
  const { place, ...count } = await describeTopic(service, call.app, topic);
  return json(200, { topic, ...place, ...count });
}

async function subscribers(call: HttpCall, topic: Topic): Promise<HttpAnswer> {
  const allowed = allow(call, "admin", topic);
  if (!allowed.ok) return allowed;
  const query = parsePageQuery(call.query);
  if (!query.ok) return query;
  const page = await listSubscribers(service, call.app, topic, query.value);
  return page.ok ? json(200, page.value) : page;
}

async function history(call: HttpCall, topic: Topic): Promise<HttpAnswer> {
  const allowed = allow(call, "history", topic);
  if (!allowed.ok) return allowed;
  const query = parseHistoryQuery(call.query);
  if (!query.ok) return query;
  const found = await readHistory(service, { app: call.app, topic, query: query.value });
  return jsonText(200, encodeHistory({ topic, ...found.place }, found, query.value));
}
