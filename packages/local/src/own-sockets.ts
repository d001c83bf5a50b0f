import { createRequire } from "node:module";
import net from "node:net";
import tls from "node:tls";

type Connect = (...parameters: never[]) => net.Socket;

/** The connections that a bundle opens by `node:net` and `node:tls`, as clients of databases do: on Lambda they end with its process. */
export interface OwnSockets {
  /** What the bundle has in place of `require`. */
  readonly require: (id: string) => unknown;
  /** Breaks all of them off, and those that are opened from now on. */
  endAll(): void;
}

/** `file` is what `require` is relative to. */
export function createOwnSockets(file: string): OwnSockets {
  const nodeRequire = createRequire(file);
  const open = new Set<net.Socket>();
  let isOver = false;

  function kept(connect: Connect): Connect {
    return (...parameters) => {
      const socket = connect(...parameters);
      open.add(socket);
      socket.once("close", () => open.delete(socket));
      if (isOver) socket.destroy();
      return socket;
    };
  }

  const modules = new Map<string, unknown>([
    ["net", { ...net, connect: kept(net.connect), createConnection: kept(net.createConnection) }],
    ["tls", { ...tls, connect: kept(tls.connect) }],
  ]);

  return {
    require: (id) => modules.get(id.replace(/^node:/, "")) ?? nodeRequire(id),
    endAll() {
      isOver = true;
      for (const socket of open) socket.destroy();
    },
  };
}
