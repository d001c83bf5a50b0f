import { type Fault, refuse } from "@topicast/protocol";
import type { AllowedOrigins } from "../doors.ts";
import type { HttpResponse } from "./http.ts";

/** For how long a browser remembers what it was told of an address: the most that Chromium does. */
const PREFLIGHT_SECONDS = 7_200;

/** What a page of another origin needs to be told to read a response; nothing where it isn't allowed to. */
export function corsHeaders(allowed: AllowedOrigins, origin: string | undefined): Record<string, string> {
  if (origin === undefined) return {};
  const exposed = { "access-control-expose-headers": "retry-after, x-request-id" };
  if (allowed === "*") return { "access-control-allow-origin": "*", ...exposed };
  return allowed.includes(origin)
    ? { "access-control-allow-origin": origin, vary: "origin", ...exposed }
    : { vary: "origin" };
}

export function answerPreflight(allowed: AllowedOrigins, origin: string | undefined): HttpResponse {
  return {
    statusCode: 204,
    headers: {
      ...corsHeaders(allowed, origin),
      "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": "authorization, content-type, idempotency-key",
      "access-control-max-age": String(PREFLIGHT_SECONDS),
    },
  };
}

/** Why who comes from this origin is refused: the page that asks isn't one of those allowed. Programs that aren't pages send none. */
export function findOriginFault(allowed: AllowedOrigins, origin: string | undefined): Fault | undefined {
  if (origin === undefined || allowed === "*" || allowed.includes(origin)) return undefined;
  return refuse("forbidden", "Pages of this origin may not come in; ALLOWED_ORIGINS lists those that may.").fault;
}
