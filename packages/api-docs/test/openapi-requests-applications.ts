import type { ContractHost } from "./contract-host.ts";
import type { Examples } from "./openapi-requests.ts";

const SOON_MS = 60_000;
const RULES = [{ match: "room/*", historySeconds: 600, ephemeral: false }];
const TOO_LARGE = { rules: ["x".repeat(65 * 1024)] };
const NO_APP = { code: "not_found", path: { app: "nothing" } } as const;

let apps = 0;
/** A new application's name, and its first key's id. */
async function createApp(host: ContractHost): Promise<{ readonly app: string; readonly keyId: string }> {
  apps += 1;
  const app = `app-${apps}`;
  const headers = { authorization: `Bearer ${host.keys.operator}` };
  const response = await fetch(`${host.url}/applications/apps`, {
    method: "POST",
    headers,
    body: JSON.stringify({ app }),
  });
  const { keys } = (await response.json()) as { readonly keys: readonly { readonly keyId: string }[] };
  return { app, keyId: keys[0]?.keyId ?? "" };
}

/** Of the applications service, by `operationId`. */
export const APPLICATION_EXAMPLES: Readonly<Record<string, Examples>> = {
  createApplication: () => [
    { body: { app: "new", rules: RULES, maxConnections: 10, expiresAt: Date.now() + SOON_MS } },
    { body: { app: "other", key: `other.k1:${"s".repeat(32)}` } },
    { code: "bad_request", body: { app: "new" } },
    { code: "payload_too_large", body: { app: "large", ...TOO_LARGE } },
  ],
  listApplications: async (host) => {
    const { app } = await createApp(host);
    return [{ query: { limit: "1" } }, { query: { cursor: app } }, {}, { code: "bad_request", query: { limit: "0" } }];
  },
  getApplication: async (host) => [{ path: { app: (await createApp(host)).app } }, NO_APP],
  changeApplication: async (host) => {
    const path = { app: (await createApp(host)).app };
    return [
      { path, body: { rules: RULES, maxConnections: 5, expiresAt: Date.now() + SOON_MS } },
      { path, body: { maxConnections: null, expiresAt: null } },
      { code: "bad_request", path, body: { rules: {} } },
      { ...NO_APP, body: {} },
      { code: "payload_too_large", path, body: TOO_LARGE },
    ];
  },
  deleteApplication: async (host) => [{ path: { app: (await createApp(host)).app } }, NO_APP],
  listKeys: async (host) => [{ path: { app: (await createApp(host)).app } }, NO_APP],
  createKey: async (host) => {
    const path = { app: (await createApp(host)).app };
    return [
      { path, body: { rights: ["publish"], topics: ["room/*"], expiresAt: Date.now() + SOON_MS } },
      { path, body: {} },
      { code: "bad_request", path, body: { rights: ["fly"] } },
      { ...NO_APP, body: {} },
      { code: "payload_too_large", path, body: TOO_LARGE },
    ];
  },
  deleteKey: async (host) => {
    const path = await createApp(host);
    return [{ path }, { code: "not_found", path }];
  },
  getApplicationsHealth: () => [{}],
};
