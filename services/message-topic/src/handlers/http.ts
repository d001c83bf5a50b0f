import { type AppId, publish } from "@topicast/core";
import {
  faultOf,
  type HttpCall,
  type HttpResponse,
  health,
  httpHandler,
  json,
  notFound,
  problem,
} from "@topicast/core/lambda";
import { type Fault, type HttpPublish, parseHttpPublish, parseHttpPublishMany, refuse } from "@topicast/protocol";
import { clock, connections, envelope, gateway, log, logger, queue, settings } from "../app.ts";

const service = { clock, connections, envelope, gateway, log, logger, queue, settings };

/** What `POST /topics/{proxy+}` is for: `{topic…}/messages`. */
const MESSAGES_PATH = /^(?:(.*)\/)?messages$/;

const KEY_UNSERVED = refuse("bad_request", "The header `Idempotency-Key` is not served yet; leave it out.");

export const handler = httpHandler(logger, {
  "POST /topics/{proxy+}": publishToTopic,
  "POST /messages": publishToMany,
  "GET /health": () => health(service),
});

async function publishToTopic({ app, rest, headers, body }: HttpCall): Promise<HttpResponse> {
  const path = MESSAGES_PATH.exec(rest);
  if (path === null) return problem(notFound());
  if (headers["idempotency-key"] !== undefined) return problem(KEY_UNSERVED.fault);
  const request = parseHttpPublish(path[1] ?? "", body);
  return request.ok ? json(202, await publishOne(app, request.value)) : problem(request.fault);
}

/** Topics side by side, the messages of one topic in turn, so that they keep their order. */
async function publishToMany({ app, body }: HttpCall): Promise<HttpResponse> {
  const requests = parseHttpPublishMany(body);
  if (!requests.ok) return problem(requests.fault);
  const turns = new Map<string, Promise<unknown>>();
  const results = requests.value.map((request) => {
    if (!request.ok) return { topic: request.topic, error: errorOf(request.fault) };
    const before = turns.get(request.value.topic) ?? Promise.resolve();
    const result = before.then(() => tryPublish(app, request.value));
    turns.set(request.value.topic, result);
    return result;
  });
  return json(202, { results: await Promise.all(results) });
}

async function tryPublish(app: AppId, request: HttpPublish) {
  try {
    return await publishOne(app, request);
  } catch (error) {
    // The other messages of the request have results of their own.
    return { topic: request.topic, error: errorOf(faultOf(error, logger)) };
  }
}

async function publishOne(app: AppId, { topic, payloads, ephemeral, from }: HttpPublish) {
  return { topic, ...(await publish(service, { app, topic, payloads, from, ephemeral, echo: true })) };
}

function errorOf({ code, message, limit }: Fault) {
  return { code, message, ...(limit !== undefined && { limit }) };
}
