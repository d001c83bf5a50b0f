import { afterAll, beforeAll } from "@jest/globals";
import { describeAccessLogs } from "./access-log-cases.ts";
import { describeApplications } from "./applications-cases.ts";
import { describeBundles } from "./bundle-cases.ts";
import { PACKAGING_MS, type Packaged, packageStacks } from "./packaged.ts";
import { describePermissions } from "./permission-cases.ts";
import { describeStack } from "./stack-cases.ts";

let packaged: Packaged;
beforeAll(async () => {
  packaged = await packageStacks({});
}, PACKAGING_MS);
afterAll(() => packaged.remove());

// One packaging serves them all.
describeStack(() => packaged);
describeApplications(() => packaged);
describeAccessLogs(() => packaged);
describePermissions(() => packaged, { usesDynamoDb: true, isInVpc: false });
describeBundles(() => packaged);
