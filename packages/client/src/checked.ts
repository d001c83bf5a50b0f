import { TopicastError } from "./errors.ts";
import { iterate } from "./iterate.ts";
import type { StandardSchema } from "./standard-schema.ts";
import type { Message, Topic } from "./types.ts";

/**
 * A topic whose payloads fit a schema of any library that follows https://standardschema.dev. What is published is checked first, and rejects with
 * `invalid_payload`. What comes is what the schema makes of it; what doesn't fit is left out, and an `error` with `invalid_payload`.
 */
export function checked<In, Out>(topic: Topic<unknown>, schema: StandardSchema<In, Out>): Topic<Out, In> {
  const invalid = new Set<(error: TopicastError) => void>();

  async function check(payload: unknown): Promise<Out> {
    const result = await schema["~standard"].validate(payload);
    if (!result.issues) return result.value;
    throw new TopicastError("invalid_payload", result.issues.map(({ message }) => message).join("; "));
  }

  function onMessage(listener: (message: Message<Out>) => void) {
    // One after the other, however long a check takes.
    let last = Promise.resolve();
    let isOff = false;
    const off = topic.on("message", (message) => {
      const payload = check(message.payload);
      // It is looked at in its turn.
      payload.catch(() => {});
      last = last.then(async () => {
        try {
          const checkedMessage = { ...message, payload: await payload };
          if (!isOff) void (async () => listener(checkedMessage))();
        } catch (error) {
          for (const tell of invalid) tell(error as TopicastError);
        }
      });
    });
    return () => {
      isOff = true;
      off();
    };
  }

  const on = (event: string, listener: (value: never) => void) => {
    if (event === "message") return onMessage(listener as () => void);
    const off = topic.on(event as "error", listener as () => void);
    if (event !== "error") return off;
    invalid.add(listener as () => void);
    return () => {
      invalid.delete(listener as () => void);
      off();
    };
  };
  let publishing: Promise<unknown> = Promise.resolve();
  return {
    name: topic.name,
    get place() {
      return topic.place;
    },
    on: on as Topic<Out, In>["on"],
    publish(payload, options) {
      const valid = check(payload);
      // It is looked at in its turn.
      valid.catch(() => {});
      // In the order of the calls, however long a check takes.
      const turn = publishing.then(() => valid);
      publishing = turn.catch(() => {});
      return turn.then(() => topic.publish(payload, options));
    },
    unsubscribe: () => topic.unsubscribe(),
    [Symbol.asyncIterator]: () => iterate<Message<Out>>((put) => [onMessage(put), topic.on("end" as never, put)]),
  };
}
