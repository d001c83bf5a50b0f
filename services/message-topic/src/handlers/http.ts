import { allow, type Caller, deleteTopic, publish, readHistory } from "@topicast/core";
import {
  faultOf,
  type HttpCall,
  type HttpResponse,
  health,
  httpHandler,
  json,
  jsonText,
  notFound,
  problem,
} from "@topicast/core/lambda";
import {
  type Fault,
  type HttpPublish,
  ok,
  parseHistoryQuery,
  parseHttpPublish,
  parseHttpPublishMany,
  parseTopic,
  refuse,
} from "@topicast/protocol";
import {
  allowedOrigins,
  applications,
  checkKey,
  clock,
  connections,
  envelope,
  gateway,
  log,
  logger,
  queue,
  settings,
} from "../app.ts";
import { encodeHistory } from "../history-answer.ts";

const options = { allowedOrigins, checkKey, logger };
const service = { applications, clock, connections, envelope, gateway, log, logger, queue, settings };

/** `{topic…}/messages`, in what stands for `{proxy+}`. */
const MESSAGES_PATH = /^(?:(.*)\/)?messages$/;

const KEY_OF_MANY = refuse(
  "bad_request",
  "The header `Idempotency-Key` can't stand for several messages; give each a `key` of its own.",
);

export const handler = httpHandler(options, {
  forAnyone: { "GET /health": () => health(service) },
  withKey: {
    "POST /topics/{proxy+}": publishToTopic,
    "GET /topics/{proxy+}": historyOfTopic,
    "DELETE /topics/{proxy+}": removeTopic,
    "POST /messages": publishToMany,
  },
});

async function publishToTopic(call: HttpCall): Promise<HttpResponse> {
  const { rest, headers, body } = call;
  const path = MESSAGES_PATH.exec(rest);
  if (path === null) return problem(notFound());
  const request = parseHttpPublish(path[1] ?? "", body, headers["idempotency-key"]);
  if (!request.ok) return problem(request.fault);
  const published = await publishOne(call, request.value);
  return published.ok ? json(202, published.value) : problem(published.fault);
}

async function historyOfTopic(call: HttpCall): Promise<HttpResponse> {
  const { app, rest, query: fields } = call;
  const path = MESSAGES_PATH.exec(rest);
  if (path === null) return problem(notFound());
  const topic = parseTopic(path[1] ?? "");
  if (!topic.ok) return problem(topic.fault);
  const allowed = allow(call, "history", topic.value);
  if (!allowed.ok) return problem(allowed.fault);
  const query = parseHistoryQuery(fields);
  if (!query.ok) return problem(query.fault);
  const history = await readHistory(service, { app, topic: topic.value, query: query.value });
  return jsonText(200, encodeHistory({ topic: topic.value, ...history.place }, history, query.value));
}

async function removeTopic(call: HttpCall): Promise<HttpResponse> {
  const { app, rest } = call;
  const topic = parseTopic(rest);
  if (!topic.ok) return problem(topic.fault);
  const allowed = allow(call, "admin", topic.value);
  if (!allowed.ok) return problem(allowed.fault);
  await deleteTopic(service, app, topic.value);
  return { statusCode: 204 };
}

/** Topics side by side, the messages of one topic in turn, so that they keep their order. */
async function publishToMany(call: HttpCall): Promise<HttpResponse> {
  const { headers, body } = call;
  if (headers["idempotency-key"] !== undefined) return problem(KEY_OF_MANY.fault);
  const requests = parseHttpPublishMany(body);
  if (!requests.ok) return problem(requests.fault);
  const turns = new Map<string, Promise<unknown>>();
  const results = requests.value.map((request) => {
    if (!request.ok) return { topic: request.topic, error: errorOf(request.fault) };
    const before = turns.get(request.value.topic) ?? Promise.resolve();
    const result = before.then(() => tryPublish(call, request.value));
    turns.set(request.value.topic, result);
    return result;
  });
  return json(202, { results: await Promise.all(results) });
}

async function tryPublish(caller: Caller, request: HttpPublish) {
  try {
    const published = await publishOne(caller, request);
    return published.ok ? published.value : { topic: request.topic, error: errorOf(published.fault) };
  } catch (error) {
    // The other messages of the request have results of their own.
    return { topic: request.topic, error: errorOf(faultOf(error, logger)) };
  }
}

async function publishOne(caller: Caller, { topic, ...request }: HttpPublish) {
  const allowed = allow(caller, "publish", topic);
  if (!allowed.ok) return allowed;
  const published = await publish(service, { app: caller.app, topic, ...request, echo: true });
  return published.ok ? ok({ topic, ...published.value }) : published;
}

function errorOf({ code, message, limit }: Fault) {
  return { code, message, ...(limit !== undefined && { limit }) };
}
