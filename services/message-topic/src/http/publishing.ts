import { allow, type Caller, publish } from "@topicast/core";
import { faultOf, type HttpAnswer, type HttpCall, json, NOT_FOUND } from "@topicast/core/lambda";
import {
  type Fault,
  type HttpPublish,
  type HttpPublishOfMany,
  ok,
  parseHttpPublish,
  parseHttpPublishMany,
  refuse,
} from "@topicast/protocol";
import { service } from "./service.ts";

/** `{topic…}/messages`, in what stands for `{proxy+}`. */
const MESSAGES_PATH = /^(?:(.*)\/)?messages$/;

const KEY_OF_MANY = refuse(
  "bad_request",
  "The header `Idempotency-Key` can't stand for several messages; give each a `key` of its own.",
);

export const publishingRoutes = {
  async "POST /topics/{proxy+}"(call: HttpCall): Promise<HttpAnswer> {
    const { rest, headers, body } = call;
    const path = MESSAGES_PATH.exec(rest);
    if (path === null) return NOT_FOUND;
    const request = parseHttpPublish(path[1] ?? "", body, headers["idempotency-key"]);
    if (!request.ok) return request;
    const published = await publishOne(call, request.value);
    return published.ok ? json(202, published.value) : published;
  },

  /** Topics side by side, the messages of one topic in turn, so that they keep their order. */
  async "POST /messages"(call: HttpCall): Promise<HttpAnswer> {
    const { headers, body } = call;
    if (headers["idempotency-key"] !== undefined) return KEY_OF_MANY;
    const requests = parseHttpPublishMany(body);
    if (!requests.ok) return requests;
    return json(202, { results: await publishAll(call, requests.value) });
  },
};

function publishAll(caller: Caller, requests: readonly HttpPublishOfMany[]) {
  const turns = new Map<string, Promise<unknown>>();
  const results = requests.map((request) => {
    if (!request.ok) return { topic: request.topic, error: errorOf(request.fault) };
    const before = turns.get(request.value.topic) ?? Promise.resolve();
    const result = before.then(() => tryPublish(caller, request.value));
    turns.set(request.value.topic, result);
    return result;
  });
  return Promise.all(results);
}

async function tryPublish(caller: Caller, request: HttpPublish) {
  try {
    const published = await publishOne(caller, request);
    return published.ok ? published.value : { topic: request.topic, error: errorOf(published.fault) };
  } catch (error) {
    // The other messages of the request have results of their own.
    return { topic: request.topic, error: errorOf(faultOf(error, service.logger)) };
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
