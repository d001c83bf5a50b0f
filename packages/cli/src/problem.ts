import { isJsonObject, type JsonObject, parseJson } from "@topicast/protocol";
import { type CommandError, codeOfStatus, refusal } from "./command-error.ts";

/** What a refusal over HTTP says: a problem document, API Gateway's own words, or its status alone. `where` is what answered. */
export function problemOf(where: string, status: number, body: string): CommandError {
  const parsed = parseJson(body);
  const fields: JsonObject = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
  const { code, detail, message, retryAfter } = fields;
  return refusal({
    code: (typeof code === "string" ? code : codeOfStatus(status)) as ReturnType<typeof codeOfStatus>,
    message: textOf(detail) ?? `${where} answered ${status}${textOf(message) ? `: ${textOf(message)}` : ""}`,
    ...(typeof retryAfter === "number" && { retryAfter }),
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
