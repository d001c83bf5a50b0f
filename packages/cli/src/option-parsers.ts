import { InvalidArgumentError } from "commander";
import ms, { type StringValue } from "ms";

const WITH_UNIT = /^\d+(\.\d+)? ?[a-z]+$/i;

/** Parses an option such as `90s`, `2h` or `30d`. In ms. */
export function parseDuration(text: string): number {
  const duration = WITH_UNIT.test(text) && text.length <= 40 ? ms(text as StringValue) : undefined;
  if (duration === undefined || !(duration > 0)) {
    throw new InvalidArgumentError("A duration is a number and a unit, such as 90s, 15m, 2h or 30d.");
  }
  return duration;
}

/** Parses an option that is a whole number from `min` up to `max`. */
export function wholeNumber(min: number, max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d{1,15}$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** Parses an option such as `publish,subscribe`. */
export function commaList(text: string): readonly string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
