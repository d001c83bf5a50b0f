import { CommandError } from "./command-error.ts";

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there; `npm start` starts a local host",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name can't be looked up now",
  ECONNRESET: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  EPIPE: "the connection was cut",
};
/** What may be over soon, and what undici says of connections. */
const PASSING = /^(ECONNRESET|EPIPE|ETIMEDOUT|EAI_AGAIN|UND_ERR_\w+)$/;

/** What a failure to reach an address is called. */
export function unreachable(where: string, error: unknown): CommandError {
  const causes = causesOf(error);
  const code = causes.map((cause) => cause.code).find((found) => typeof found === "string");
  const isLate = causes.some(({ name }) => name === "TimeoutError");
  const reason = isLate ? "no answer came in time" : (REASONS[code ?? ""] ?? causes.at(-1)?.message ?? String(error));
  return new CommandError(`${where} can't be reached: ${reason}`, { isRetryable: isLate || PASSING.test(code ?? "") });
}

/** Node puts what matters into `cause`, or into `errors` where it tried several addresses. */
function causesOf(error: unknown): (Error & { readonly code?: string })[] {
  if (!(error instanceof Error)) return [];
  const [first] = error instanceof AggregateError ? error.errors : [];
  return [error, ...causesOf(first), ...causesOf(error.cause)];
}
