import { describe, expect, it } from "@jest/globals";
import { replaceSection } from "../src/documentation.ts";

describe("a section of the page", () => {
  const page =
    "# Head\n\n<!-- begin a -->\n\nold $1\n\n<!-- end a -->\n\nbetween\n\n<!-- begin b -->\n\nof b\n\n<!-- end b -->\n";

  it("is replaced, and nothing else", () => {
    expect(replaceSection(page, "a", "new $& $1\n")).toBe(page.replace("old $1", () => "new $& $1"));
    expect(replaceSection(page, "b", "new")).toBe(page.replace("of b", "new"));
  });

  it("is added behind the others where there is none, and is found again", () => {
    const added = replaceSection(page, "c", "of c");
    expect(added).toBe(`${page}\n<!-- begin c -->\n\nof c\n\n<!-- end c -->\n`);
    expect(replaceSection(added, "c", "of c")).toBe(added);
  });

  it("is refused where its end was lost", () => {
    expect(() => replaceSection(page.replace("<!-- end a -->", ""), "a", "new")).toThrow("no end");
  });
});
