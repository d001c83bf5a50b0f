/* What the simulation runs, bundled as one file: the service's handlers, and the drivers that the world behind them is made of. */

export { createMemoryConnectionStore, createMemoryQueue, createMemoryTopicLog } from "@topicast/core/memory";
export { connectRedis, createRedisConnectionStore, createRedisTopicLog } from "@topicast/core/redis";
export { handler as connect } from "../../src/handlers/connect.ts";
export { handler as deliver } from "../../src/handlers/deliver.ts";
export { handler as disconnect } from "../../src/handlers/disconnect.ts";
export { handler as history } from "../../src/handlers/history.ts";
export { handler as http } from "../../src/handlers/http.ts";
export { handler as ping } from "../../src/handlers/ping.ts";
export { handler as publish } from "../../src/handlers/publish.ts";
export { handler as subscribe } from "../../src/handlers/subscribe.ts";
export { handler as unsubscribe } from "../../src/handlers/unsubscribe.ts";
