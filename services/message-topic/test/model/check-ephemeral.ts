import { type Journal, payloadOf } from "./journal.ts";

/** What is ephemeral comes at most once. */
export function checkEphemeral({ sessions, publications }: Journal): string[] {
  const ephemeral = new Set(publications.filter((one) => one.ephemeral).map(({ id }) => id));
  return sessions.flatMap((session) => {
    const seen = new Set<string>();
    const faults: string[] = [];
    for (const { messages } of session.steps) {
      for (const { publication, index } of messages.map(payloadOf)) {
        if (!ephemeral.has(publication)) continue;
        const name = `${publication}.${index}`;
        if (seen.has(name)) faults.push(`${session.client} in ${session.topic} got the ephemeral ${name} twice`);
        seen.add(name);
      }
    }
    return faults;
  });
}
