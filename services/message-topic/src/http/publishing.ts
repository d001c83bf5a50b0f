import { type HttpAnswer, type HttpCall, json, NOT_FOUND } from "@topicast/core/lambda";
import { parseHttpPublish, parseHttpPublishMany, refuse } from "@topicast/protocol";
import { publishMany, publishOne } from "./publish-many.ts";

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
    return published.ok ? json(202, { topic: request.value.topic, ...published.value }) : published;
  },

  async "POST /messages"(call: HttpCall): Promise<HttpAnswer> {
    const { headers, body } = call;
    if (headers["idempotency-key"] !== undefined) return KEY_OF_MANY;
    const requests = parseHttpPublishMany(body);
    if (!requests.ok) return requests;
    return json(202, { results: await publishMany(call, requests.value) });
  },
};
