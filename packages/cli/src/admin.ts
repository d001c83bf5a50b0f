import { isJsonObject, type Json, type JsonObject } from "@topicast/protocol";
import { applicationsUrlOf, type ConnectionOptions, parseSecret } from "./connection-options.ts";
import { type HttpRequest, request } from "./http.ts";

/** The applications service's admin API. What it refuses throws a `CommandError`. */
export interface Admin {
  get(path: string): Promise<JsonObject>;
  post(path: string, body: JsonObject): Promise<JsonObject>;
  delete(path: string): Promise<void>;
}

export function adminOf(options: ConnectionOptions): Admin {
  const base = applicationsUrlOf(options);
  const key = parseSecret(options.operatorKey, "--operator-key");
  async function send(method: HttpRequest["method"], path: string, body?: Json): Promise<JsonObject> {
    const answer = await request({ method, url: `${base}${path}`, key, ...(body !== undefined && { body }) });
    return answer !== undefined && isJsonObject(answer) ? answer : {};
  }
  return {
    get: (path) => send("GET", path),
    post: (path, body) => send("POST", path, body),
    delete: async (path) => void (await send("DELETE", path)),
  };
}

/** The field of that name, for something that is gone after so many ms. */
export function expiresAt(afterMs: number | undefined): { readonly expiresAt?: number } {
  return afterMs === undefined ? {} : { expiresAt: Date.now() + afterMs };
}

/** A field as a cell of a table shows it. */
export function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return "–";
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Unix ms, as whoever looks reads it. */
export function timeOf(value: Json | undefined): string {
  const date = typeof value === "number" ? new Date(value) : undefined;
  return date === undefined || Number.isNaN(date.getTime()) ? "–" : date.toISOString().slice(0, 16).replace("T", " ");
}
