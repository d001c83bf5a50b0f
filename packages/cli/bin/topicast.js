#!/usr/bin/env node
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

// Whatever tsconfig.json lies in the folder that it is called from is none of its business.
process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL("../../../tsconfig.json", import.meta.url));
const require = createRequire(import.meta.url);
// Of tsx's two ways the one without a thread for loading: it starts in half the time.
require("tsx/cjs/api").register();
require("../src/cli.ts");
