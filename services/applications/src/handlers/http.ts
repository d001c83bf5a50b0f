import { APPLICATION_NAME, addKey, createApplication, parseKeyName } from "@topicast/core";
import { type HttpAnswer, type HttpRequest, healthOf, httpHandler, json } from "@topicast/core/lambda";
import { type Result, refuse } from "@topicast/protocol";
import { applicationAnswer, keyAnswer } from "../answers.ts";
import { allowedOrigins, apps, checkOperator, clock, logger, sealer } from "../app.ts";
import { type Body, parseChanges, parseListQuery, parseNewApplication, parseNewKey } from "../requests.ts";

const service = { apps, clock, sealer };

export const handler = httpHandler(
  { allowedOrigins, checkKey: checkOperator, logger },
  {
    // Any name will do: what counts is that the store answers.
    forAnyone: { "GET /health": () => healthOf({ clock, logger }, { store: apps.get("health") }) },
    withKey: {
      "POST /apps": create,
      "GET /apps": list,
      "GET /apps/{app}": ofApp(look),
      "PATCH /apps/{app}": ofApp(change),
      "DELETE /apps/{app}": ofApp(remove),
      "GET /apps/{app}/keys": ofApp(listKeys),
      "POST /apps/{app}/keys": ofApp(createKey),
      "DELETE /apps/{app}/keys/{keyId}": ofApp(removeKey),
    },
  },
);

const NO_APPLICATION = refuse("not_found", "There is no such application.");
const NO_KEY = refuse("not_found", "There is no such key.");

/** A path that can be no application's name isn't asked for. */
function ofApp(handle: (app: string, request: HttpRequest) => Promise<HttpAnswer>) {
  return async (request: HttpRequest): Promise<HttpAnswer> => {
    const { app = "" } = request.names;
    return APPLICATION_NAME.test(app) ? handle(app, request) : NO_APPLICATION;
  };
}

async function create(request: HttpRequest): Promise<HttpAnswer> {
  const input = parseNewApplication(bodyOf(request));
  if (!input.ok) return input;
  const created = await createApplication(service, input.value);
  return answer(created, 201, ({ application, keyText }) => ({ ...applicationAnswer(application), key: keyText }));
}

async function list({ query }: HttpRequest): Promise<HttpAnswer> {
  const page = parseListQuery(query);
  if (!page.ok) return page;
  const { applications, ...rest } = await apps.list(page.value);
  return json(200, { apps: applications.map(applicationAnswer), ...rest });
}

async function look(app: string): Promise<HttpAnswer> {
  const application = await apps.get(app);
  return application === undefined ? NO_APPLICATION : json(200, applicationAnswer(application));
}

async function change(app: string, request: HttpRequest): Promise<HttpAnswer> {
  const changes = parseChanges(bodyOf(request));
  if (!changes.ok) return changes;
  const application = await apps.change(app, changes.value);
  return application === undefined ? NO_APPLICATION : json(200, applicationAnswer(application));
}

async function remove(app: string): Promise<HttpAnswer> {
  return (await apps.remove(app)) ? { statusCode: 204 } : NO_APPLICATION;
}

async function listKeys(app: string): Promise<HttpAnswer> {
  const application = await apps.get(app);
  return application === undefined ? NO_APPLICATION : json(200, { keys: application.keys.map(keyAnswer) });
}

async function createKey(app: string, request: HttpRequest): Promise<HttpAnswer> {
  const input = parseNewKey(bodyOf(request));
  if (!input.ok) return input;
  const created = await addKey(service, app, input.value);
  return answer(created, 201, ({ key, text }) => ({ ...keyAnswer(key), key: text }));
}

async function removeKey(app: string, { names: { keyId = "" } }: HttpRequest): Promise<HttpAnswer> {
  const isKey = parseKeyName(`${app}.${keyId}`) !== undefined;
  return isKey && (await apps.removeKey(app, keyId)) ? { statusCode: 204 } : NO_KEY;
}

function bodyOf({ body }: HttpRequest): Body {
  return { text: body, now: clock.now() };
}

function answer<T>(result: Result<T>, status: number, toBody: (value: T) => object): HttpAnswer {
  return result.ok ? json(status, toBody(result.value)) : result;
}
