import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { ALL_STACKS, PACKAGING_MS, type Packaged, packageStacks, REFUSAL } from "./packaged.ts";
import { describePermissions } from "./permission-cases.ts";
import type { Template } from "./template.ts";

const ENVIRONMENT = {
  STORE: "redis",
  // As a workflow sets what it has no value for.
  REDIS_URL: "",
  VPC_SUBNET_IDS: "subnet-0a1b2c3d,subnet-4e5f6a7b",
  VPC_SECURITY_GROUP_IDS: "sg-0a1b2c3d",
};

/** Each has the client for Redis: 200 KB, where that for DynamoDB is 75. */
const MAX_BYTES = 700 * 1024;

let packaged: Packaged;
beforeAll(async () => {
  packaged = await packageStacks(ENVIRONMENT);
}, PACKAGING_MS);
afterAll(() => packaged.remove());

describePermissions(() => packaged, { usesDynamoDb: false, isInVpc: true });

describe.each(ALL_STACKS)("the stack of $service on Redis", ({ service, roles }) => {
  let stack: Template;
  beforeAll(async () => {
    stack = await packaged.template(service);
  });

  const functionNamed = (name: string) =>
    stack.resources[`${name[0]?.toUpperCase()}${name.slice(1)}LambdaFunction`]?.Properties;

  it("has no table, and says nothing of DynamoDB to anybody", () => {
    expect(stack.resources).not.toHaveProperty("Table");
    expect(stack.outputs).not.toHaveProperty("TableName");
    expect(stack.text).not.toMatch(/dynamodb/i);
  });

  it("tells its functions the store and where Redis is, which the template does not hold", () => {
    for (const name of Object.keys(roles)) {
      expect(functionNamed(name).Environment.Variables).toMatchObject({
        STORE: "redis",
        TABLE_NAME: "",
        REDIS_URL: "{{resolve:secretsmanager:/topicast/dev/redis-url}}",
        REDIS_PREFIX: `topicast-${service}-dev:`,
        ...(service !== "applications" && {
          APPLICATIONS_TABLE_NAME: "",
          APPLICATIONS_REDIS_PREFIX: "topicast-applications-dev:",
        }),
      });
    }
  });

  it("has in its functions a client for Redis, where they talk to the store, and none for DynamoDB", async () => {
    const bundles = await packaged.bundles(service);
    for (const [name, role] of Object.entries(roles)) {
      const code = bundles.get(name)?.get(`src/handlers/${name}.cjs`) ?? Buffer.alloc(0);
      // It prints so, and no other library does.
      expect([name, code.includes("[ioredis]")]).toEqual([name, role !== REFUSAL]);
      expect([name, code.includes('"@aws-sdk/client-dynamodb"')]).toEqual([name, false]);
      expect(code.byteLength).toBeLessThanOrEqual(MAX_BYTES);
    }
  });

  it("puts into the VPC the functions that talk to the store, and no other", () => {
    const vpc = {
      SubnetIds: { "Fn::Split": [",", ENVIRONMENT.VPC_SUBNET_IDS] },
      SecurityGroupIds: { "Fn::Split": [",", ENVIRONMENT.VPC_SECURITY_GROUP_IDS] },
    };
    for (const [name, role] of Object.entries(roles)) {
      expect([name, functionNamed(name).VpcConfig]).toEqual([name, role === REFUSAL ? undefined : vpc]);
    }
  });
});
