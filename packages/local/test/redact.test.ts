import { expect, it } from "@jest/globals";
import { redact } from "../src/redact.ts";

const SECRET = "s3cret-_".repeat(5);

function parseFault(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch (error) {
    return `${error}`;
  }
}

it.each([
  [`no key default.k1:${SECRET} here`, "no key [secret] here"],
  [`Bearer jam-7.k1:${SECRET}`, "Bearer [secret]"],
  ["?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl&a=1", "?token=[secret]&a=1"],
  ["eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9", "[secret]"],
])("keeps keys and tokens out of a line: %s", (line, kept) => {
  expect(redact(line)).toBe(kept);
});

it.each(["hi there", '{"payload":"a secret",', `{"payload":${"x".repeat(100)}}`, 'say "hi" is not valid JSON'])(
  "keeps out what an error of JSON.parse quotes: %s",
  (text) => {
    const line = redact(parseFault(text));
    for (const quoted of ["there", "secret", "xx", "hi"]) expect(line).not.toContain(quoted);
    expect(line).toMatch(/^SyntaxError: .*JSON/);
  },
);

it.each([
  "message-topic/publish: Error: no such table\n    at file.ts:10:3",
  "The application room.k1 at 127.0.0.1:4000 has http://localhost:4000/message-topic",
  "UnavailableError: arn:aws:dynamodb:us-east-1:000000000000:table/topicast-applications-dev",
])("leaves other lines alone: %s", (line) => {
  expect(redact(line)).toBe(line);
});
