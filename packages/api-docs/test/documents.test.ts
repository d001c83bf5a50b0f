import { readFile } from "node:fs/promises";
import asyncApiSchema from "@asyncapi/specs/schemas/3.0.0.json";
import { expect, it } from "@jest/globals";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { generateDocuments } from "../src/documents.ts";

const ASYNC_API = new URL("../../../docs/asyncapi.yaml", import.meta.url);

it("the documents are what `npm run api-docs` writes", async () => {
  for (const { url, text } of await generateDocuments()) expect(await readFile(url, "utf8")).toBe(text);
});

it("asyncapi.yaml is as the AsyncAPI initiative's own schema says", async () => {
  const validate = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false }).compile(
    asyncApiSchema,
  );
  validate(parse(await readFile(ASYNC_API, "utf8")));
  expect(validate.errors).toBeNull();
}, 30_000);
