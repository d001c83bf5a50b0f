import { changesSchema, newApplicationSchema, newKeySchema } from "@topicast/applications/schemas";
import { RIGHTS, topicRulesSchema } from "@topicast/core";
import * as v from "valibot";

/* Applications and their keys, as the operator asks for them and sees them. */

/** A document has no time of its own, so that any time may come. */
const NOW = 0;
const time = v.pipe(v.number(), v.safeInteger(), v.description("Unix ms."));
const secret = v.pipe(v.string(), v.description("`{app}.{keyId}:{secret}`, shown this once."));

/** The service says in its own words what is wrong with a rule. */
export const newApplicationBody = v.strictObject({
  ...newApplicationSchema(NOW).entries,
  rules: v.optional(topicRulesSchema, []),
});
export const changesBody = v.strictObject({ ...changesSchema(NOW).entries, rules: v.optional(topicRulesSchema) });
export const newKeyBody = newKeySchema(NOW);

export const keyAnswer = v.object({
  keyId: v.string(),
  rights: v.array(v.picklist(RIGHTS)),
  topics: v.array(v.string()),
  createdAt: time,
  expiresAt: v.exactOptional(time),
});
export const applicationAnswer = v.object({
  app: v.string(),
  rules: topicRulesSchema,
  maxConnections: v.exactOptional(v.pipe(v.number(), v.safeInteger())),
  createdAt: time,
  expiresAt: v.exactOptional(time),
  keys: v.array(keyAnswer),
});
export const newApplicationAnswer = v.object({ ...applicationAnswer.entries, key: secret });
export const newKeyAnswer = v.object({ ...keyAnswer.entries, key: secret });
export const applicationsAnswer = v.object({ apps: v.array(applicationAnswer), cursor: v.exactOptional(v.string()) });
export const keysAnswer = v.object({ keys: v.array(keyAnswer) });
