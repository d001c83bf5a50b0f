import type { Contestant } from "./contestant.ts";
import { mosquitto } from "./mosquitto.ts";
import { nats } from "./nats.ts";
import { naiveWs, socketIo, topicastHost } from "./node-servers.ts";

export type { Contestant } from "./contestant.ts";

/** In the order of tables; the first is what is compared with the others. */
export const CONTESTANTS: readonly Contestant[] = [topicastHost, naiveWs, socketIo, nats, mosquitto];
