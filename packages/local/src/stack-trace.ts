import { SourceMap } from "node:module";
import { dirname, relative, resolve } from "node:path";
import type { Bundle } from "./bundle.ts";

const MAX_FRAMES = 5;

/** What went wrong in a handler, its stack naming the sources instead of the bundle. */
export function describeError(error: unknown, bundle: Bundle): string {
  // Not `instanceof`: a bundle may run in another realm.
  const { stack, name, message } = (typeof error === "object" && error !== null ? error : {}) as Partial<Error>;
  if (typeof stack !== "string") return `thrown: ${typeof error === "string" ? error : typeof error}`;
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  const sourceMap = new SourceMap(JSON.parse(bundle.sourceMap));
  const mapped = frames.slice(0, MAX_FRAMES).map((frame) => mapFrame(frame, bundle.file, sourceMap));
  return [`${name}: ${message}`, ...mapped].join("\n");
}

function mapFrame(frame: string, file: string, sourceMap: SourceMap): string {
  const start = frame.indexOf(file);
  const place = /:(\d+):(\d+)/.exec(frame.slice(start + file.length));
  if (start === -1 || place === null) return frame;
  const entry = sourceMap.findEntry(Number(place[1]) - 1, Number(place[2]) - 1);
  if (!("originalSource" in entry)) return frame;
  const source = relative(process.cwd(), resolve(dirname(file), entry.originalSource));
  const end = start + file.length + place[0].length;
  return `${frame.slice(0, start)}${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}${frame.slice(end)}`;
}
