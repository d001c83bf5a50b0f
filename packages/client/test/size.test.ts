import { gzipSync } from "node:zlib";
import { expect, it } from "@jest/globals";
import { build } from "esbuild";

const MAX_BYTES = 4_096;

it(`import { connect } is at most ${MAX_BYTES} bytes, minified and gzipped`, async () => {
  const { outputFiles } = await build({
    stdin: { contents: 'export { connect } from "@topicast/client";', resolveDir: __dirname },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2020",
    write: false,
  });
  const bytes = gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
  process.stdout.write(`import { connect }: ${bytes} bytes, minified and gzipped\n`);

  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
});
