import { randomBytes } from "node:crypto";
import { ok, type Result, refuse, type TopicPattern } from "@topicast/protocol";
import { RIGHTS } from "../access.ts";
import type { KeyParts } from "../application-key.ts";
import { appIdOf } from "../applications.ts";
import type { Application } from "../ports/app-store.ts";
import { createKey, type KeyService } from "./create-key.ts";

export interface ApplicationInput extends Pick<Application, "name" | "topicRules" | "maxConnections" | "expiresAt"> {
  /** Its first key, where that isn't to be made up: a restarted host's clients have one already. */
  readonly key?: KeyParts;
}

export interface CreatedApplication {
  readonly application: Application;
  /** The whole of its first key, which may do everything: nobody can say it again. */
  readonly keyText: string;
}

const EVERY_TOPIC = "*" as TopicPattern;

/** Creates an application with its first key. Throws `UnavailableError`: then it may be there, and nobody has its key. */
export async function createApplication(
  service: KeyService,
  { key: given, ...input }: ApplicationInput,
): Promise<Result<CreatedApplication>> {
  const { name } = input;
  const { key, text } = await createKey(service, name, { topics: [EVERY_TOPIC], rights: RIGHTS }, given);
  const application: Application = {
    ...input,
    // Whatever an earlier application of this name left behind is under another id.
    id: appIdOf(name, randomBytes(9).toString("base64url")),
    // They begin together.
    createdAt: key.createdAt,
    keys: [key],
  };
  return (await service.apps.create(application))
    ? ok({ application, keyText: text })
    : refuse("bad_request", `There is an application ${name} already; choose another name, or delete that one first.`);
}
