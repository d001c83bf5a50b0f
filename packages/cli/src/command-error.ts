import { CODES, type ErrorCode, type Fault } from "@topicast/protocol";

/** Ends the command with one line on stderr. */
export class CommandError extends Error {
  /** 1: refused or failed, 2: called wrongly. */
  readonly exitCode: 1 | 2;
  /** What a service calls it; absent where none said anything. */
  readonly code: string | undefined;
  /** Ms after which the service says that a retry may succeed. */
  readonly retryAfter: number | undefined;
  /** Whether the same again may succeed. */
  readonly isRetryable: boolean;

  constructor(message: string, fields: Partial<Omit<CommandError, keyof Error>> = {}) {
    super(message);
    this.name = "CommandError";
    this.exitCode = fields.exitCode ?? 1;
    this.code = fields.code;
    this.retryAfter = fields.retryAfter;
    this.isRetryable = fields.isRetryable ?? false;
  }
}

/** The command was called wrongly: nothing was sent. */
export function usageError(message: string): CommandError {
  return new CommandError(message, { exitCode: 2 });
}

/** What a service refused. */
export function refusal({ code, message, retryAfter }: Omit<Fault, "limit">): CommandError {
  return new CommandError(message, { code, retryAfter, isRetryable: isRetryable(code) });
}

/** A service that is newer may have codes that aren't known here. */
export function isRetryable(code: string): boolean {
  return Object.hasOwn(CODES, code) && CODES[code as ErrorCode].retryable;
}

/** What an answer is called that says no code, such as one of API Gateway itself. */
export function codeOfStatus(status: number): ErrorCode {
  if (status === 429) return "rate_limited";
  if (status > 500 && status < 600) return "unavailable";
  const found = Object.entries(CODES).find(([, meaning]) => meaning.status === status);
  return (found?.[0] as ErrorCode | undefined) ?? "bad_request";
}
