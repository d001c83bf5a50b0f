import { type Json, MAX_BATCH, MAX_HTTP_PAYLOAD_BYTES, parseJson, payloadBytes } from "@topicast/protocol";
import { usageError } from "./command-error.ts";

/** Text that is JSON as what it says, any other as a string. `where` is what a fault is called after. */
export function parsePayload(text: string, where: string): Json {
  const payload = payloadOf(text, where);
  const bytes = payloadBytes([payload]);
  if (bytes <= MAX_HTTP_PAYLOAD_BYTES) return payload;
  throw usageError(`${where} is ${bytes} bytes long as JSON; at most ${MAX_HTTP_PAYLOAD_BYTES} are allowed.`);
}

function payloadOf(text: string, where: string): Json {
  const parsed = parseJson(text);
  if (parsed.ok) return parsed.value;
  if (isJson(text)) throw usageError(`${where}: ${parsed.fault.message}`);
  return text;
}

/** JSON that the protocol doesn't take must not become a string unseen. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // It is plain text.
  }
}

export interface BatchOptions {
  /** Whether the same input must make the same batches each time; otherwise what has come is sent at once. */
  readonly areFixed: boolean;
}

/** The lines of a stream as payloads, in batches that one publish takes. Empty lines are left out. */
export async function* readBatches(chunks: AsyncIterable<string>, { areFixed }: BatchOptions): AsyncGenerator<Json[]> {
  const batch = createBatch();
  for await (const lines of readLines(chunks)) {
    for (const { text, number } of lines) {
      const full = batch.add(parsePayload(text, `Line ${number}`));
      if (full !== undefined) yield full;
    }
    if (!areFixed && !batch.isEmpty()) yield batch.take();
  }
  if (!batch.isEmpty()) yield batch.take();
}

function createBatch() {
  let payloads: Json[] = [];
  let bytes = 0;
  function take(): Json[] {
    const taken = payloads;
    payloads = [];
    bytes = 0;
    return taken;
  }
  return {
    take,
    isEmpty: () => payloads.length === 0,
    /** What was in it, where the payload doesn't fit in any more. */
    add(payload: Json): Json[] | undefined {
      const more = payloadBytes([payload]);
      const isFull = payloads.length === MAX_BATCH || bytes + more > MAX_HTTP_PAYLOAD_BYTES;
      const full = isFull ? take() : undefined;
      payloads.push(payload);
      bytes += more;
      return full;
    },
  };
}

interface Line {
  readonly text: string;
  readonly number: number;
}

/** The lines that each chunk completes. */
async function* readLines(chunks: AsyncIterable<string>): AsyncGenerator<Line[]> {
  let rest = "";
  let count = 0;
  const linesOf = (texts: readonly string[]) =>
    texts.map((text) => ({ text: text.replace(/\r$/, ""), number: ++count })).filter(({ text }) => text.trim() !== "");
  for await (const chunk of chunks) {
    const texts = (rest + chunk).split("\n");
    rest = texts.pop() ?? "";
    yield linesOf(texts);
    // However it goes on, it is too long. Said before memory runs out.
    if (rest.length > MAX_HTTP_PAYLOAD_BYTES) parsePayload(rest, `Line ${count + 1}`);
  }
  yield linesOf([rest]);
}
