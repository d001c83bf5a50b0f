import { writeFile } from "node:fs/promises";
import { generateReadme, README } from "./readme.ts";

await writeFile(README, await generateReadme());
