/** Why a host can't start, in one line for whoever started it: the fault and the way out. */
export class StartError extends Error {
  override readonly name = "StartError";
}
