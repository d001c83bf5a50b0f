import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "@jest/globals";
import { build } from "esbuild";

const MAX_BYTES = 1_024;

it(`the receiver is at most ${MAX_BYTES} bytes, minified and gzipped`, async () => {
  const { outputFiles } = await build({
    entryPoints: [join(__dirname, "../src/receiver.ts")],
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
  });
  const bytes = gzipSync(outputFiles[0]?.contents ?? "").length;
  process.stdout.write(`receiver: ${bytes} bytes, minified and gzipped\n`);

  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
});
