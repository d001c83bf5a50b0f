/** A time in the common log format, as in events: `16/Mar/2025:00:46:22 +0000`. */
export function formatRequestTime(timeMs: number): string {
  const [, day, month, year, time] = new Date(timeMs).toUTCString().split(" ");
  return `${day}/${month}/${year}:${time} +0000`;
}
