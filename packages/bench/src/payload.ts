/** Bytes of what every contestant's publisher sends, and so at least of every delivery. */
export const PAYLOAD_BYTES = 128;

const NUMBER_DIGITS = 9;
const BEFORE_NUMBER = '"number":"';
const BEGINNING = Buffer.from(BEFORE_NUMBER);
const ZERO = 0x30;

/** A JSON object of {@link PAYLOAD_BYTES} that carries the number, at most nine digits of it. */
export function createPayload(number: number): string {
  const begin = `{${BEFORE_NUMBER}${String(number).padStart(NUMBER_DIGITS, "0")}","text":"`;
  return `${begin.padEnd(PAYLOAD_BYTES - 2, "x")}"}`;
}

/** The numbers of the payloads that lie whole within some bytes, in order; escaped ones (a string in JSON) are none. */
export function payloadNumbersIn(bytes: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = bytes.indexOf(BEGINNING); at !== -1; at = bytes.indexOf(BEGINNING, at + PAYLOAD_BYTES - 1)) {
    const from = at + BEGINNING.length;
    if (from + NUMBER_DIGITS > bytes.length) break;
    let number = 0;
    for (let digit = 0; digit < NUMBER_DIGITS; digit++) number = number * 10 + (bytes[from + digit] as number) - ZERO;
    numbers.push(number);
  }
  return numbers;
}

/**
 * How many payloads begin within `bytes` from `from` up to `to`; faster than to read their numbers. Neighbours are mostly as far apart as those
 * before, so it looks there first.
 */
export function countPayloads(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  let apart = 0;
  let at = bytes.indexOf(BEGINNING, from);
  while (at !== -1 && at < to) {
    count += 1;
    const guessed = at + apart;
    const next = apart > 0 && beginsAt(bytes, guessed) ? guessed : bytes.indexOf(BEGINNING, at + BEGINNING.length);
    apart = next - at;
    at = next;
  }
  return count;
}

function beginsAt(bytes: Buffer, at: number): boolean {
  for (let index = 0; index < BEGINNING.length; index++) if (bytes[at + index] !== BEGINNING[index]) return false;
  return true;
}
