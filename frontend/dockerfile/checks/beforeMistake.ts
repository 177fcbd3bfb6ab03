import { hasCode, isTbuildError } from "../../../cache/errors.js";
import type { FrontendOptions } from "../../options.js";
import { predefinedArgs } from "../args.js";
import type { Findings } from "../findings.js";
import type { ParsedDockerfile } from "../instruction.js";
import { violation } from "../lint.js";
import { parseDockerfile } from "../parse.js";
import { splitStages } from "../stages.js";
import { checkOptions } from "./options.js";
import { lintSource } from "./source.js";

/**
 * What checks find in the lines above the first mistake of a file that cannot be parsed: BuildKit looks at each line as it reads
 * it. Other errors, and a file whose first line is wrong, leave `findings` as they are.
 */
export function lintBeforeMistake(error: unknown, text: string | Uint8Array, options: FrontendOptions, findings: Findings): void {
  const parsed = parsedBefore(error, text, options);
  if (parsed === null) return;
  const warn = (warning: Findings["warnings"][number]) => void findings.warnings.push(warning);
  findings.check = checkOptions(parsed, options.buildArgs);
  lintSource(parsed, splitStages(parsed), predefinedArgs(options, ""), options, warn);
  for (const ins of parsed.instructions) if (ins.name === "maintainer") warn(violation("MaintainerDeprecated", ins.at));
}

function parsedBefore(error: unknown, text: string | Uint8Array, { file }: FrontendOptions): ParsedDockerfile | null {
  if (!hasCode(error, "parse_failed") || !isTbuildError(error) || error.at === undefined) return null;
  const lines = Buffer.from(text).toString("utf8").split("\n").slice(0, error.at.start.line - 1);
  try {
    const parsed = parseDockerfile(lines.join("\n"), file);
    return parsed.instructions.some(({ name }) => name === "from") ? parsed : null;
  } catch {
    return null;
  }
}
