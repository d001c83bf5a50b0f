import { type Json, parseJson } from "@topicast/protocol";
import { CommandError } from "./command-error.ts";
import { problemOf } from "./problem.ts";
import { unreachable } from "./unreachable.ts";

/** A little longer than the longest that API Gateway lets an answer take. */
const ANSWER_MS = 31_000;

export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  /** A key; an open host needs none. */
  readonly key?: string | undefined;
  readonly body?: Json;
}

/** The answer's body, undefined where it has none. Throws a `CommandError` where it is refused or the service can't be reached. */
export async function request({ method, url, key, body }: HttpRequest): Promise<Json | undefined> {
  const headers = {
    accept: "application/json",
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(body !== undefined && { "content-type": "application/json" }),
  };
  const { origin, pathname } = new URL(url);
  const where = `${origin}${pathname}`;
  const { status, ok, text } = await send(where, url, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    // Nobody sends a key on to where an answer points.
    redirect: "manual",
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (!ok) throw problemOf(where, status, text);
  if (text === "") return undefined;
  const parsed = parseJson(text);
  if (!parsed.ok) throw new CommandError(`${where} answered something that is not JSON; is it a Topicast service?`);
  return parsed.value;
}

async function send(where: string, url: string, init: RequestInit) {
  try {
    const response = await fetch(url, init);
    return { status: response.status, ok: response.ok, text: await response.text() };
  } catch (error) {
    throw unreachable(where, error);
  }
}
