// The examples of the documents that show the package.
import { readFileSync, readdirSync } from "node:fs";
import { at } from "../../scripts/project.mjs";

export interface Example {
  /** Where it stands, as `client/README.md:12`. */
  place: string;
  /** `ts`, `tsx`, `js` … */
  language: string;
  code: string;
  /** Whether the document says that it runs as it stands. */
  runs: boolean;
}

/** Every fenced block of code in them. */
export function examples(): Example[] {
  const pages = readdirSync(at("client", "docs")).map((name) => `client/docs/${name}`);
  return ["README.md", "client/README.md", ...pages].flatMap((file) => {
    const text = readFileSync(at(file), "utf8");
    return [...text.matchAll(/(<!-- run -->\n)?^```(\w+)\n(.*?)^```$/gms)].map((match) => ({
      place: `${file}:${text.slice(0, match.index).split("\n").length}`,
      language: match[2]!,
      code: match[3]!,
      runs: match[1] !== undefined,
    }));
  });
}
