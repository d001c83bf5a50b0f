import { writeFile } from "node:fs/promises";
import { generateDocuments } from "./documents.ts";

for (const { url, text } of await generateDocuments()) await writeFile(url, text);
