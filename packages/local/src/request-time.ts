let lastSecond = Number.NaN;
let lastText = "";

/** A time in the common log format, as in events: `16/Mar/2025:00:46:22 +0000`. */
export function formatRequestTime(timeMs: number): string {
  const second = Math.floor(timeMs / 1_000);
  // Thousands of events fall into one second.
  if (second === lastSecond) return lastText;
  const [, day, month, year, time] = new Date(timeMs).toUTCString().split(" ");
  lastSecond = second;
  lastText = `${day}/${month}/${year}:${time} +0000`;
  return lastText;
}
