export type { ServicePorts } from "./backend.ts";
export { type Chaos, parseChaos } from "./chaos.ts";
export type { Arrivals, EntryRefusal, FrameKind, HostFaults, Refusal, WireFault, WireInput } from "./faults.ts";
export { type Host, type HostedService, type HostOptions, startHost } from "./host.ts";
export { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
export { StartError } from "./start-error.ts";
export type { Wire, WireOptions } from "./wire/backend.ts";
export type { WireCounts } from "./wire/counts.ts";
