/** `{app}.{keyId}:{secret}`, and a JWT: three parts in base64url, of which the first two are JSON objects. */
const SECRETS = /\b[a-z0-9-]{1,32}\.[a-z0-9]{1,16}:[\w-]{32,}|\beyJ[\w-]+\.eyJ[\w-]+(\.[\w-]*)?/g;
/** Since Node 20 the error of a text that isn't JSON quotes it. */
const QUOTED_JSON = /(, )?(\.\.\.)?"[^\n]*"(\.\.\.)? is not valid JSON/g;

/** A line for the log without keys, tokens, and texts that couldn't be parsed: what others throw may quote them. */
export function redact(line: string): string {
  return line.replace(SECRETS, "[secret]").replace(QUOTED_JSON, " in what is not valid JSON");
}
