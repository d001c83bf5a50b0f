/** A store, a queue, or where keys are kept throttled, timed out, or can't be reached. A retry helps. `part` is for the log and the health check. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
  readonly part: "store" | "queue" | "gateway" | "key source";

  constructor(part: UnavailableError["part"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.part = part;
  }
}

/** By name and not by class: an error that crossed from the host into a handler's bundle is of another module's class. */
export function isUnavailable(error: unknown): error is UnavailableError {
  return typeof error === "object" && error !== null && "name" in error && error.name === "UnavailableError";
}

/**
 * Another store numbers this topic, or is about to: it moved there. Who knows both stores goes on there; for all others it is a store that can't be had,
 * until they are told of the other one.
 */
export class MovedError extends UnavailableError {
  readonly isMoved = true;

  constructor() {
    super("store", "This topic moved to another store. The services' STORE must name both while topics move.");
  }
}

export function isMoved(error: unknown): error is MovedError {
  return isUnavailable(error) && "isMoved" in error && error.isMoved === true;
}
