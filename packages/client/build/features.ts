import { Realtime } from "ably";
import { Centrifuge } from "centrifuge";
import type { Library } from "./sizes.ts";

export const FEATURES = [
  "comes back",
  "brings what was missed",
  "each message once, in order",
  "batches",
  "publishes wait, and are retried",
];

/** What each does by itself, as its documentation says of the version that is installed here; the figures are that version's defaults. */
export function featuresOf(): Readonly<Record<Library, readonly string[]>> {
  const ably = inWords(ablyResumesMs());
  return {
    "@topicast/client": ["yes", "yes", "yes", "yes", "yes, and applied once"],
    partysocket: ["yes", "no", "no", "no", "wait"],
    "socket.io-client": ["yes", "if the server keeps it", "in order", "no", "wait; retried by option"],
    "pusher-js": ["yes", "no", "no", "no", "no"],
    centrifuge: ["yes", "if the server keeps it", "in order", "by command", `wait for ${inWords(centrifugeWaitsMs())}`],
    ably: ["yes", `for ${ably}`, "yes", "by array", `yes, for ${ably}`],
  };
}

/** How long a connection that is lost can be resumed, and what is published meanwhile is kept. */
function ablyResumesMs(): unknown {
  const { connection } = new Realtime({ key: "app.key:secret", autoConnect: false });
  const { connectionManager } = connection as { connectionManager?: { connectionStateTtl?: unknown } };
  return connectionManager?.connectionStateTtl;
}

/** How long a publish waits for a connection, or an answer. */
function centrifugeWaitsMs(): unknown {
  const { _config } = new Centrifuge("ws://nowhere.test") as unknown as { _config?: { timeout?: unknown } };
  return _config?.timeout;
}

/** Throws where another version keeps it elsewhere. */
function inWords(ms: unknown): string {
  if (typeof ms !== "number") throw new Error("A library's default isn't where it was; look for it in its source.");
  return ms < 60_000 ? `${ms / 1_000} s` : `${ms / 60_000} min`;
}
