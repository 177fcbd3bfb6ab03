// Every exported symbol needs a doc comment right above it. Prints those without one, and the count; exits 1 if any.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const folders = ["cache", "solver", "frontend", "builder", "cli"];
const exported = /^export (?:declare )?(?:async )?(?:abstract )?(?:function\*?|class|interface|type|const|let|enum) (\w+)/;
let total = 0;
const missing = [];

for (const folder of folders) {
  for (const name of readdirSync(folder, { recursive: true })) {
    if (name.endsWith(".ts") && !name.endsWith(".test.ts")) check(path.join(folder, name));
  }
}
for (const place of missing) console.log(`no doc comment: ${place}`);
console.log(`${total - missing.length} of ${total} exported symbols are documented`);
process.exitCode = missing.length > 0 ? 1 : 0;

function check(file) {
  const lines = readFileSync(file, "utf8").split("\n");
  lines.forEach((line, index) => {
    const match = exported.exec(line);
    if (match === null) return;
    total++;
    if (!documented(lines, index, match[1])) missing.push(`${file}:${index + 1} ${match[1]}`);
  });
}

/** Overloads after the first share its comment. */
function documented(lines, index, name) {
  const above = lines[index - 1]?.trim() ?? "";
  return above.endsWith("*/") || above.startsWith(`export function ${name}`) || above.startsWith(`export async function ${name}`);
}
