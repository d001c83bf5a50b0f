export type { HostFaults } from "./faults.ts";
export { type Host, type HostedService, type HostOptions, startHost } from "./host.ts";
export { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
export type { ServicePorts } from "./service.ts";
export { StartError } from "./start-error.ts";
