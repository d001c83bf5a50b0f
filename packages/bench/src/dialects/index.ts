import type { Dialect } from "./dialect.ts";
import { mqtt } from "./mqtt.ts";
import { nats } from "./nats.ts";
import { socketIo } from "./socket-io.ts";
import { topicast } from "./topicast.ts";

export const DIALECTS = { topicast, socketIo, nats, mqtt } satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;
