import { createHmac } from "node:crypto";
import { type Application, type ApplicationKey, createApplications, type TokenAuthority } from "@topicast/core";
import { createMemoryAppStore } from "@topicast/core/memory";
import { parseTopicPattern, type TopicPattern } from "@topicast/protocol";
import { aKnownKey, anApplication, testClock } from "@topicast/testing";
import { createSealer, signingKeyOf } from "../src/application-key.ts";
import { appIdOf } from "../src/applications.ts";
import { createTokenCheck } from "../src/use-cases/check-token.ts";
import { createApplicationAuthority } from "../src/use-cases/vouch-for-token.ts";

const ENCRYPTION_KEY = "an encryption key of 32 characters";

export type KeyOptions = Partial<Pick<ApplicationKey, "grants" | "expiresAt">> & { readonly encryptionKey?: string };

/** Closed doors in memory, whose time stands still. */
export async function tokenCase({ others = [] }: { readonly others?: readonly TokenAuthority[] } = {}) {
  const clock = testClock();
  const apps = createMemoryAppStore({ clock });
  const sealer = createSealer(ENCRYPTION_KEY);
  const logged: string[] = [];
  const logger = { warn: (message: string, fields: object) => logged.push(`${message} ${JSON.stringify(fields)}`) };
  const applications = createApplications({ apps, clock, rules: [] });
  const ofApplications = createApplicationAuthority({ applications, clock, sealer: async () => sealer });
  const check = createTokenCheck({ applications, clock, logger, authorities: [ofApplications, ...others] });

  return {
    applications,
    apps,
    clock,
    logged,
    logger,
    check: (token: string | undefined) => check({ token, service: "message-topic", sourceIp: "192.0.2.1" }),
    async createApplication(name: string, more: Partial<Application> = {}) {
      await apps.create(anApplication({ name, id: appIdOf(name, "g1"), ...more }));
    },
    /** The whole key. `encryptionKey`: where it isn't the service's. */
    async addKey(app: string, keyId: string, { encryptionKey = ENCRYPTION_KEY, ...more }: KeyOptions = {}) {
      const { key, stored } = aKnownKey({ app, keyId, encryptionKey }, more);
      await apps.addKey(app, stored, 10);
      return key;
    },
  };
}

export function aPattern(text: string): TopicPattern {
  const pattern = parseTopicPattern(text);
  if (!pattern.ok) throw new Error(pattern.fault.message);
  return pattern.value;
}

/** A part of a token: JSON, or a text as it is. */
export function part(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

/** A compact JWS by hand, as no library would make it. */
export function hmacToken(secret: string, header: unknown, payload: unknown): string {
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** What signs the tokens of a whole key. */
export function signingKeyOfKey(key: string): string {
  return signingKeyOf(key.slice(key.indexOf(":") + 1));
}
