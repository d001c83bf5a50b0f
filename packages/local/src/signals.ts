import { closeSync, openSync } from "node:fs";
import { isatty } from "node:tty";

export interface SignalHandlers {
  /** The host is to end. */
  end(): void;
  /** It is to take new settings. */
  reload(): void;
}

/**
 * Calls back for the signals of the process: SIGINT and SIGTERM end it, SIGHUP has it take new settings, as many times as it comes. Whose terminal was closed
 * gets SIGHUP too, and ends, as it would without us.
 */
export function onSignals({ end, reload }: SignalHandlers): void {
  const isInTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  process.on("SIGHUP", () => {
    if (isInTerminal && !hasTerminal()) end();
    else reload();
  });
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    // What was the terminal of this process is gone.
    return false;
  }
}
