import type { Frame } from "@topicast/testing";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed; undefined where there is none. */
  readonly body: Frame;
}

/** Speaks to a host's HTTP API: `call("POST /messages", {…})`. */
export function createHttpClient(httpUrl: () => string, headers: () => Record<string, string> = () => ({})) {
  return async (route: string, body?: unknown): Promise<HttpAnswer> => {
    const [method = "GET", path = "/"] = route.split(" ");
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(`${httpUrl()}${path}`, {
      method,
      headers: headers(),
      ...(text !== undefined && { body: text }),
    });
    const answer = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: answer === "" ? undefined : JSON.parse(answer),
    };
  };
}
