import type { ConnectionGateway, PostFailures, PostOptions, Target } from "@topicast/core";
import { createPeerGateway, type PeerGateway, type PeerGatewayOptions } from "./peer-gateway.ts";

/** A gateway to the connections of this host and of others. */
export interface HostGateway extends ConnectionGateway {
  /** Ends the sockets to other hosts. */
  stop(): void;
}

export interface HostGatewayOptions extends Omit<PeerGatewayOptions, "address"> {
  /** This host's, as its connections' rows have it. */
  readonly address: string;
  /** To its connections. */
  readonly local: ConnectionGateway;
}

/** Has no connections: nobody can reach those of an address that is none of this service on any host. */
const NOWHERE: ConnectionGateway = {
  post: async (targets) => ({ gone: targets, throttled: [], failed: [] }),
  close: async () => "gone",
  look: async () => undefined,
};

/** Reaches this host's connections in process, and those of others through their `@connections`. */
export function createHostGateway({ address: own, local, ...options }: HostGatewayOptions): HostGateway {
  const { pathname } = new URL(own);
  const peers = new Map<string, PeerGateway>();

  function gatewayOf(address: string): ConnectionGateway {
    if (address === own) return local;
    const known = peers.get(address);
    if (known !== undefined) return known;
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url?.protocol !== "http:" || url.pathname !== pathname) return NOWHERE;
    const peer = createPeerGateway({ ...options, address: url });
    peers.set(address, peer);
    return peer;
  }

  return {
    async post<T extends Target>(targets: readonly T[], frame: string, postOptions?: PostOptions) {
      // Nearly always, and the list itself is what the local one knows it by.
      if (targets.every(({ address }) => address === own)) return local.post(targets, frame, postOptions);
      const posts = [...byAddress(targets)].map(([address, group]) =>
        gatewayOf(address).post(group, frame, postOptions),
      );
      return join(await Promise.all(posts));
    },
    close: (target) => gatewayOf(target.address).close(target),
    look: (target) => gatewayOf(target.address).look(target),
    stop() {
      for (const peer of peers.values()) peer.stop();
    },
  };
}

function byAddress<T extends Target>(targets: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const target of targets) {
    const group = groups.get(target.address);
    if (group === undefined) groups.set(target.address, [target]);
    else group.push(target);
  }
  return groups;
}

function join<T extends Target>(parts: readonly PostFailures<T>[]): PostFailures<T> {
  return {
    gone: parts.flatMap(({ gone }) => gone),
    throttled: parts.flatMap(({ throttled }) => throttled),
    failed: parts.flatMap(({ failed }) => failed),
  };
}
