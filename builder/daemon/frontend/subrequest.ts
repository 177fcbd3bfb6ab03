import { subrequests } from "../../../frontend/subrequests/describe.js";
import { lintDockerfile } from "../../../frontend/subrequests/lint.js";
import { outlineDockerfile } from "../../../frontend/subrequests/outline.js";
import { listTargets } from "../../../frontend/subrequests/targets.js";
import { buildkitWords } from "../../api/buildkitWords.js";
import { TBUILD_ERROR, wireErrors } from "../../api/errors.js";
import type { FrontendResultMessage } from "../../api/gateway.js";
import { frontendOptions } from "../../plan.js";
import { targetPlatforms } from "../../platforms.js";
import { answerResult } from "../client/results.js";
import { type FrontendParts, frontendRun, type GivenDockerfile } from "./dockerfile.js";
import type { FrontendOpt } from "./frontendOpt.js";
import type { FrontendHost } from "./host.js";
import { unsupported } from "./unsupported.js";

const VERSION = "1.0.0";

/** The answer to what a client asks of its Dockerfile instead of building it; null when it builds. @throws {TbuildError} unsupported */
export async function answerSubrequest(opt: FrontendOpt, given: GivenDockerfile, host: FrontendHost, parts: FrontendParts): Promise<FrontendResultMessage | null> {
  const id = opt["requestid"];
  if (id === undefined) return null;
  if (id === "frontend.subrequests.describe") return answered(subrequests);
  const run = await frontendRun(opt, given, host, parts);
  const options = frontendOptions(run, targetPlatforms(run.request)[0]!);
  const { bytes } = run.inputs.dockerfile;
  switch (id) {
    case "frontend.lint": {
      const { result, error } = await lintDockerfile(bytes, options);
      const words = error === null ? null : (buildkitWords(error)?.text ?? null);
      const told = words === null || result.buildError === undefined ? result : { ...result, buildError: { ...result.buildError, message: words } };
      const failed = error !== null || result.warnings.length > 0;
      const errors = error === null ? {} : { [TBUILD_ERROR]: JSON.stringify(wireErrors(error)) };
      return answered(told, { "result.statuscode": failed ? "1" : "0", ...errors });
    }
    case "frontend.outline":
      return answered(await outlineDockerfile(bytes, options));
    case "frontend.targets":
      return answered(listTargets(bytes, options));
    default:
      throw unsupported(`unsupported request ${id}`, "errdefs.Subrequest", id);
  }
}

/** Clients lay the answer out by themselves. */
function answered(value: unknown, more: Readonly<Record<string, string>> = {}): FrontendResultMessage {
  const text = JSON.stringify(value, null, 2);
  return answerResult({ "result.json": text, "result.txt": `${text}\n`, version: VERSION, ...more });
}
