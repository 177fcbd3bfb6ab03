import type { FrontendOptions } from "../../options.js";
import type { ParsedDockerfile } from "../instruction.js";
import { type WarningSink, violation } from "../lint.js";
import type { Env } from "../scopeEnv.js";
import type { Sections } from "../stages.js";
import { lintStages } from "../stagesLint.js";
import { lintDefaultArgs } from "./defaultArgs.js";
import { lintDescriptions } from "./descriptions.js";
import { lintInstallOrder } from "./installOrder.js";
import { lintGivenSecrets } from "./secretValues.js";

/** All checks that look at the text of a file only. `predefined` are the ARGs that every file has. */
export function lintSource(
  parsed: ParsedDockerfile,
  sections: Sections,
  predefined: Env,
  options: FrontendOptions,
  warn: WarningSink,
): void {
  parsed.emptyContinuations.forEach((at) => warn(violation("NoEmptyContinuation", at)));
  lintStages(sections, warn);
  lintDescriptions(parsed, warn);
  lintDefaultArgs(sections, predefined, options, parsed.escape, warn);
  lintGivenSecrets(parsed, options, warn);
  lintInstallOrder(sections, warn);
}
