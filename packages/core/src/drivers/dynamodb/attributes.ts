import type { AttributeValue } from "@aws-sdk/client-dynamodb";

export type Item = Record<string, AttributeValue>;

export function text(value: string): AttributeValue {
  return { S: value };
}

export function number(value: number): AttributeValue {
  return { N: String(value) };
}

/** Throws where a row isn't as this code writes it: someone else wrote to the table. */
export function textOf(item: Item, name: string): string {
  return present(optionalText(item, name), name);
}

export function optionalText(item: Item, name: string): string | undefined {
  return item[name]?.S;
}

/** Throws where a row isn't as this code writes it: someone else wrote to the table. */
export function numberOf(item: Item, name: string): number {
  return present(optionalNumber(item, name), name);
}

export function optionalNumber(item: Item, name: string): number | undefined {
  const digits = item[name]?.N;
  return digits === undefined ? undefined : Number(digits);
}

function present<T>(value: T | undefined, name: string): T {
  if (value === undefined)
    throw new Error(`A row of DynamoDB lacks its attribute "${name}", or has it in another type.`);
  return value;
}

/** What DynamoDB's TTL reads: whole Unix seconds, never before `expiresAt` (Unix ms). */
export function ttl(expiresAt: number): AttributeValue {
  return number(Math.ceil(expiresAt / 1_000));
}
