import { fromSystemError } from "../cache/errors.js";
import { type SubrequestInfo, subrequests } from "../frontend/subrequests/describe.js";
import { type Linted, lintDockerfile } from "../frontend/subrequests/lint.js";
import { type Outline, outlineDockerfile } from "../frontend/subrequests/outline.js";
import { type TargetList, listTargets } from "../frontend/subrequests/targets.js";
import { buildEpoch } from "./epoch.js";
import { openInputs } from "./inputs.js";
import { frontendOptions } from "./plan.js";
import { targetPlatforms } from "./platforms.js";
import { policyApplier } from "./policy/applyPolicy.js";
import { policedRemote } from "./policy/policedRemote.js";
import { requestPolicy } from "./policy/requestPolicy.js";
import type { BuildRequest } from "./request.js";
import type { BuildParts } from "./run.js";
import { givenTo } from "./secrets/given.js";

/** What each question is answered with. */
interface Answers {
  readonly check: Linted;
  readonly outline: Outline;
  readonly targets: TargetList;
  readonly "subrequests.describe": readonly SubrequestInfo[];
}

/** What a Dockerfile can be asked. */
export type CallKind = keyof Answers;

/** The answer. */
export type CallResult<K extends CallKind = CallKind> = Answers[K];

type Calls = { readonly [K in CallKind]: (parts: BuildParts, request: BuildRequest, signal: AbortSignal) => Promise<Answers[K]> };

const calls: Calls = {
  check: (...args) => ask(lintDockerfile, ...args),
  outline: (...args) => ask(outlineDockerfile, ...args),
  targets: (...args) => ask(listTargets, ...args),
  "subrequests.describe": async () => Promise.resolve(subrequests),
};

/**
 * Asks the frontend something of a request's Dockerfile. No step is run; images are looked up where that helps, and done
 * without where they cannot be had.
 * @throws {TbuildError} not_found, permission_denied; but for a check also what is wrong with the file, located
 */
export async function callFrontend<K extends CallKind>(
  parts: BuildParts,
  request: BuildRequest,
  kind: K,
  signal: AbortSignal,
): Promise<CallResult<K>> {
  try {
    return await calls[kind](parts, request, signal);
  } catch (error) {
    throw fromSystemError(error);
  }
}

type Question<T> = (text: Uint8Array, options: ReturnType<typeof frontendOptions>) => T | Promise<T>;

async function ask<T>(question: Question<T>, parts: BuildParts, request: BuildRequest, signal: AbortSignal): Promise<T> {
  const policy = requestPolicy(request);
  using remote = policedRemote(parts.remote({ pull: request.pull === true }), policy);
  const given = givenTo(request);
  const silent = { report: () => {}, signal };
  await using inputs = await openInputs(request, { parts, remote, applyPolicy: policyApplier(policy), ...given, logs: { fileOf: () => null }, ...silent });
  const epoch = await buildEpoch(inputs, request.buildArgs ?? {});
  // What is wrong with a file hardly depends on the platform.
  const options = frontendOptions({ request, inputs, remote, secrets: given.secrets, epoch, ...silent }, targetPlatforms(request)[0]!);
  return await question(inputs.dockerfile.bytes, options);
}
