import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import ts from "typescript";

/** A path from one file of types to another. */
const IMPORT = /(from "\.\/[\w-]+)\.ts"/g;

/**
 * Writes the types of some modules and of all that these name, twice: for `import` and for `require`. Throws where the public types name what
 * isn't published.
 */
export async function emitDeclarations(entries: readonly string[], out: string): Promise<void> {
  const folder = dirname(entries[0] ?? "");
  const emitted = emit(entries, folder);
  const files = reachable(entries, folder, emitted);
  await Promise.all(
    [...files].flatMap(([file, text]) => {
      const name = basename(file, ".ts");
      return [
        writeFile(join(out, `${name}.d.ts`), text.replace(IMPORT, '$1.js"')),
        writeFile(join(out, `${name}.d.cts`), text.replace(IMPORT, '$1.cjs"')),
      ];
    }),
  );
}

/** By source. */
function emit(entries: readonly string[], folder: string): Map<string, string> {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(folder, "../tsconfig.json"),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic(diagnostic) {
        throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"));
      },
    },
  );
  const options = { ...config?.options, noEmit: false, declaration: true, emitDeclarationOnly: true };
  const program = ts.createProgram([...entries], options);
  const emitted = new Map<string, string>();
  program.emit(undefined, (_, text, __, ___, sources) => {
    for (const { fileName } of sources ?? []) emitted.set(fileName, text);
  });
  return emitted;
}

function reachable(entries: readonly string[], folder: string, emitted: ReadonlyMap<string, string>) {
  const files = new Map<string, string>();
  const rest = [...entries];
  for (let file = rest.pop(); file !== undefined; file = rest.pop()) {
    const text = emitted.get(file);
    if (files.has(file) || text === undefined) continue;
    files.set(file, text);
    for (const [, path = ""] of text.matchAll(/from "([^"]+)"/g)) {
      if (path.startsWith("./")) rest.push(join(folder, path));
      else if (path !== "react") throw new Error(`The types of ${basename(file)} name ${path}, which isn't published.`);
    }
  }
  return files;
}
