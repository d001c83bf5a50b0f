import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const SOURCE = fileURLToPath(new URL("../src/", import.meta.url));

/** What the reference has, in its order, by file. */
const PARTS: readonly (readonly [string, readonly string[]])[] = [
  ["client.ts", ["connect"]],
  [
    "types.ts",
    ["ConnectOptions", "ConnectionOptions", "Cast", "Connection", "State", "Reason", "Topic", "TopicOptions"],
  ],
  ["types.ts", ["PublishOptions", "Message", "Place", "Lost", "Direct"]],
  ["errors.ts", ["TopicastError"]],
  ["checked.ts", ["checked"]],
  ["broadcast.ts", ["connectBroadcast"]],
  ["types.ts", ["BroadcastOptions", "Broadcast", "BroadcastMessage"]],
  ["react.ts", ["useTopic", "UseTopicOptions", "UsedTopic", "useConnectionState"]],
];

/** The docstrings of what is exported, as Markdown. */
export function writeReference(): string {
  return PARTS.flatMap(([file, names]) => {
    const source = ts.createSourceFile(file, readFileSync(SOURCE + file, "utf8"), ts.ScriptTarget.Latest, true);
    return names.map((name) => describe(source, name));
  }).join("\n\n");
}

function describe(source: ts.SourceFile, name: string): string {
  const found = source.statements.find((statement) => (statement as { name?: ts.Node }).name?.getText() === name);
  if (found === undefined) throw new Error(`${source.fileName} has no ${name}`);
  const parts = [`#### ${titleOf(found, name)}`, docOf(found), ...membersOf(found)];
  return parts.filter((part) => part !== "").join("\n\n");
}

function titleOf(node: ts.Node, name: string): string {
  if (!ts.isFunctionDeclaration(node)) return `\`${name}\``;
  const parameters = node.parameters.map((parameter) => parameter.name.getText() + (parameter.initializer ? "?" : ""));
  return `\`${name}(${parameters.join(", ")})\``;
}

function membersOf(node: ts.Node): string[] {
  if (ts.isTypeAliasDeclaration(node) && !node.type.getText().includes("\n  "))
    return [`\`${oneLine(node.type.getText())}\``];
  const members = ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node) ? node.members : literalOf(node);
  const rows = [...members].filter((member) => !ts.isConstructorDeclaration(member));
  return rows.length === 0 ? [] : [rows.map((member) => describeMember(member)).join("\n")];
}

/** The members that a type such as `T & { … }` adds. */
function literalOf(node: ts.Node): readonly ts.Node[] {
  if (!ts.isTypeAliasDeclaration(node)) return [];
  const types = ts.isIntersectionTypeNode(node.type) ? node.type.types : [node.type];
  return types.flatMap((type) => (ts.isTypeLiteralNode(type) ? [...type.members] : []));
}

function describeMember(member: ts.Node): string {
  const signature = oneLine(
    member
      .getText()
      .replace(/\b(readonly|declare) /g, "")
      .replace(/;$/, ""),
  );
  const doc = docOf(member);
  return doc === "" ? `- \`${signature}\`` : `- \`${signature}\`: ${doc}`;
}

function docOf(node: ts.Node): string {
  const [first] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return oneLine(ts.getTextOfJSDocComment(first?.comment) ?? "");
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}
