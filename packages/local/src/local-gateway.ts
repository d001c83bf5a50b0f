import { type ConnectionGateway, type Target, UnavailableError } from "@topicast/core";
import type { ConnectionRegistry } from "./connection-registry.ts";
import type { Refusal } from "./faults.ts";
import type { GatewayLimits } from "./limits.ts";

/** The gateway that handlers get: the registry, without HTTP between. */
export function createLocalGateway(registry: ConnectionRegistry, limits: GatewayLimits): ConnectionGateway {
  return {
    async post<T extends Target>(targets: readonly T[], frame: string) {
      const failures: Record<Exclude<Refusal, "hang">, T[]> = { gone: [], throttled: [], failed: [] };
      if (Buffer.byteLength(frame) > limits.maxMessageBytes) return { ...failures, failed: targets };
      registry.postAll(targets, frame, (target, refusal) => {
        // A gateway gives up waiting in the end.
        failures[refusal === "hang" ? "failed" : refusal].push(target);
      });
      return failures;
    },
    async close({ id }) {
      const outcome = registry.close(id);
      return outcome === "closed" ? outcome : goneOrThrow(outcome);
    },
    async look({ id }) {
      const info = registry.look(id);
      if (typeof info !== "string") return info;
      goneOrThrow(info);
      return undefined;
    },
  };
}

function goneOrThrow(refusal: Refusal): "gone" {
  if (refusal === "gone") return refusal;
  throw new UnavailableError(
    "gateway",
    `The request about the connection ${refusal === "throttled" ? "was throttled" : "failed"}.`,
  );
}
