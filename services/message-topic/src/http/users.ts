import { allowEverywhere, kickUser, sendToUser } from "@topicast/core";
import { type HttpAnswer, type HttpCall, json, NOT_FOUND } from "@topicast/core/lambda";
import { parseHttpDirect, parseUser } from "@topicast/protocol";
import { service } from "./service.ts";

/** `{user}/messages` and `{user}/connections`, in what stands for `{proxy+}`. A user's name may hold anything, slashes too. */
const MESSAGES_PATH = /^(.*)\/messages$/s;
const CONNECTIONS_PATH = /^(.*)\/connections$/s;

export const userRoutes = {
  async "POST /users/{proxy+}"(call: HttpCall): Promise<HttpAnswer> {
    const path = MESSAGES_PATH.exec(call.rest);
    if (path === null) return NOT_FOUND;
    const allowed = allowEverywhere(call, "publish");
    if (!allowed.ok) return allowed;
    const user = parseUser(path[1] ?? "");
    if (!user.ok) return user;
    const direct = parseHttpDirect(call.body);
    if (!direct.ok) return direct;
    const message = { ...direct.value, time: service.clock.now() };
    return json(202, await sendToUser(service, call.app, user.value, message));
  },

  async "DELETE /users/{proxy+}"(call: HttpCall): Promise<HttpAnswer> {
    const path = CONNECTIONS_PATH.exec(call.rest);
    if (path === null) return NOT_FOUND;
    const allowed = allowEverywhere(call, "admin");
    if (!allowed.ok) return allowed;
    const user = parseUser(path[1] ?? "");
    if (!user.ok) return user;
    await kickUser(service, call.app, user.value);
    return { statusCode: 204 };
  },
};
