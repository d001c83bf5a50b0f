import * as v from "valibot";
import { MAX_TOPIC_LENGTH } from "./limits.ts";
import { parseTopic, TOPIC_PATTERN } from "./topic-name.ts";

/** {@link parseTopic} as a schema, for the published documents and for tests; services use the parser, whose faults have a code of their own. */
export const topicSchema = v.pipe(
  v.string(),
  v.check((name) => parseTopic(name).ok),
  v.metadata({
    minLength: 1,
    maxLength: MAX_TOPIC_LENGTH,
    pattern: TOPIC_PATTERN,
    description: "Segments of letters, marks, digits and _ - . : @ = + in NFC, divided by `/`.",
    examples: ["room/1"],
  }),
);
