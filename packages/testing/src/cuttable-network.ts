import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a port of this machine that can be cut. */
export interface CuttableNetwork {
  readonly port: number;
  /** Ends every connection, and takes none until it is mended. */
  cut(): void;
  /** Lets nothing through, and tells nobody, until it is mended; what was under way is lost then. */
  silence(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function createCuttableNetwork(to: number): Promise<CuttableNetwork> {
  let isCut = false;
  const ends = new Set<Socket>();
  const server = createServer((client) => {
    const service = connect(to, "127.0.0.1");
    for (const [one, other] of [
      [client, service],
      [service, client],
    ] as const) {
      ends.add(one);
      // That one breaks off is what this is for.
      one.on("error", () => {});
      one.on("close", () => {
        ends.delete(one);
        other.destroy();
      });
      one.on("data", (data) => other.write(data));
    }
    if (isCut) client.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  function endAll(): void {
    for (const end of ends) end.destroy();
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      endAll();
    },
    silence() {
      for (const end of ends) end.pause();
    },
    mend() {
      isCut = false;
      for (const end of ends) if (end.isPaused()) end.destroy();
    },
    async close() {
      endAll();
      server.close();
      await once(server, "close");
    },
  };
}
