import { marshal } from "../../../solver/llb/marshal.js";
import { TbuildError } from "../../../cache/errors.js";
import type { Ref } from "../../../cache/ref.js";
import type { FrontendResultMessage, GatewaySolveRequest, ReturnRequest } from "../../api/gateway.js";
import { internalStep } from "../../internalStep.js";
import type { RefTable } from "../client/refTable.js";
import { refsOf } from "../daemonBuild.js";
import { checkImageCaps } from "../frontend/frontendCaps.js";
import { StatusError } from "../handlers.js";
import { converse, type Conversation } from "./converse.js";
import { findFrontend, type FrontendFinder } from "./frontendImage.js";
import type { Definition } from "../../../solver/llb/definition.js";

/** What a frontend in an image works with. */
export interface ExternalParts extends Omit<FrontendFinder, "report" | "signal">, Omit<Conversation, "image" | "root" | "graph" | "asked"> {
  readonly refs: RefTable;
  /** Runs the steps of a graph and sees to it that their result's files are here. */
  bring(definition: Definition): Promise<Ref>;
}

/**
 * Runs the frontend in the image `name` until it has ended, and returns what it has returned.
 * @throws {StatusError} the frontend's own error
 * @throws {TbuildError} what resolving and fetching its image throws; process_failed when it fails, or ends without a result;
 * not_found when its result refers to what this build has not made; cancelled
 */
export async function runExternal(name: string, asked: GatewaySolveRequest, parts: ExternalParts): Promise<FrontendResultMessage> {
  const { job, refs } = parts;
  const { report, signal } = job;
  const opt = asked.frontendOpt;
  const image = await findFrontend(name, opt, { ...parts, report, signal });
  checkImageCaps(image.config.Labels ?? {}, opt, Object.keys(asked.frontendInputs).length > 0);
  const graph = marshal(image.tree, []);
  const root = await parts.bring(graph);
  const conversation = { ...parts, image, root, graph, asked };
  const returned = await internalStep(report, `[internal] run frontend ${name}`, signal, (opts) => converse(name, conversation, opts));
  return resultOf(name, returned, refs);
}

function resultOf(name: string, returned: ReturnRequest | null, refs: RefTable): FrontendResultMessage {
  const { result = null, error = null } = returned ?? {};
  if (error !== null && error.code !== 0) throw new StatusError(error, undefined);
  if (result === null) throw new TbuildError("process_failed", `Cannot use the frontend "${name}": it ended without a result`);
  for (const id of refsOf(result)) refs.get(id);
  return result;
}
