import { isJsonObject, ok, parseJson, refuse } from "@topicast/protocol";
import type { TokenAuthority } from "../../ports/token-authority.ts";
import { readBounded } from "../bounded-response.ts";

/** From asking to the last byte of the answer. */
const TIMEOUT_MS = 2_000;
const MAX_ANSWER_BYTES = 64 * 1024;

export interface AuthEndpointOptions {
  readonly url: string;
  readonly timeoutMs?: number;
}

/**
 * Asks an endpoint of the operator's about each token: `POST {token, service, room, origin, sourceIp}`. It vouches by `200 {sub, cap, exp}`; anything else, or
 * no answer in time, is a refusal.
 */
export function createAuthEndpoint({ url, timeoutMs = TIMEOUT_MS }: AuthEndpointOptions): TokenAuthority {
  async function ask(body: string) {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body,
      // It would carry the token to somebody else.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status === 200) return readBounded(response, MAX_ANSWER_BYTES);
    await response.body?.cancel();
    return { status: response.status };
  }

  return async ({ token, service, room, origin, sourceIp }) => {
    let answer: Awaited<ReturnType<typeof ask>>;
    try {
      answer = await ask(JSON.stringify({ token, service, room, origin, sourceIp }));
    } catch (error) {
      return fault(`gave no answer in ${timeoutMs} ms, or broke off: ${causeOf(error)}`);
    }
    if (answer === undefined) return fault(`answered more than ${MAX_ANSWER_BYTES} bytes`);
    if (typeof answer === "object") return fault(`answered ${answer.status}`);
    const claims = parseJson(answer);
    if (!claims.ok || !isJsonObject(claims.value)) return fault("answered 200 with no JSON object");
    return ok({ claims: claims.value });
  };
}

/** `fetch` says what happened in its error's cause, as a code such as ECONNREFUSED. */
function causeOf(error: unknown): string {
  const { name, cause } = error as { readonly name?: string; readonly cause?: { readonly code?: unknown } };
  return typeof cause?.code === "string" ? cause.code : (name ?? "unknown");
}

function fault(what: string) {
  return refuse("unauthorized", `AUTH_URL ${what}.`);
}
