import { readFile } from "node:fs/promises";
import { stringify } from "yaml";
import { asyncApiDocument } from "./asyncapi/document.ts";
import { openApiDocument } from "./openapi/document.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Where a document is kept, and the text that belongs there. */
export interface DocumentFile {
  readonly url: URL;
  readonly text: string;
}

/** All documents, as they follow from the protocol's schemas. */
export async function generateDocuments(): Promise<readonly DocumentFile[]> {
  const { version } = JSON.parse(await readFile(new URL("package.json", ROOT), "utf8")) as { readonly version: string };
  return [
    { url: new URL("docs/openapi.yaml", ROOT), text: textOf(openApiDocument(version)) },
    { url: new URL("docs/asyncapi.yaml", ROOT), text: textOf(asyncApiDocument(version)) },
  ];
}

function textOf(document: object): string {
  return `# Written by \`npm run api-docs\`.\n${stringify(document, { lineWidth: 120, aliasDuplicateObjects: false })}`;
}
