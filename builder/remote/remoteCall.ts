import { TbuildError, type WireError } from "../../cache/errors.js";
import { TBUILD_ERROR } from "../api/errors.js";
import type { CallKind, CallResult } from "../call.js";
import type { LintResult, Linted } from "../../frontend/subrequests/lint.js";
import type { BuildRequest } from "../request.js";
import { newRef } from "../history/newRef.js";
import { solveRemotely } from "./remoteBuild.js";
import { noCaches } from "./remoteCaches.js";
import { fromWires } from "./remoteErrors.js";
import type { RemoteParts } from "./remoteOffers.js";

const REQUESTS: { readonly [K in CallKind]: string } = {
  check: "frontend.lint",
  outline: "frontend.outline",
  targets: "frontend.targets",
  "subrequests.describe": "frontend.subrequests.describe",
};

const silent = { report: () => {}, fileOf: () => null };

/** Asks the frontend of a builder something of a request's Dockerfile. @throws {TbuildError} as callFrontend; unsupported */
export async function callRemotely<K extends CallKind>(parts: RemoteParts, request: BuildRequest, kind: K, signal: AbortSignal): Promise<CallResult<K>> {
  const attrs = { requestid: REQUESTS[kind], "frontend.caps": "moby.buildkit.frontend.subrequests" };
  const { frontend } = await solveRemotely(parts, request, { ref: newRef(), outputs: { exporters: [], receivers: new Map() }, exports: null, caches: noCaches, attrs, policy: {} }, silent, signal);
  const answer = frontend?.metadata["result.json"];
  if (answer === undefined) throw new TbuildError("unsupported", `Cannot ask "${parts.place.shown}" for ${kind}: the builder gives no answer`);
  const value = JSON.parse(Buffer.from(answer).toString("utf8")) as unknown;
  return (kind === "check" ? linted(value as LintResult, frontend?.metadata[TBUILD_ERROR]) : value) as CallResult<K>;
}

/** tbuildd tells the errors themselves besides. */
function linted(result: LintResult, errors: Uint8Array | undefined): Linted {
  const { buildError } = result;
  if (buildError === undefined) return { result: { ...result, warnings: result.warnings ?? [] }, error: null };
  const own = errors === undefined ? null : fromWires(JSON.parse(Buffer.from(errors).toString("utf8")) as readonly WireError[]);
  if (own !== null) return { result: { ...result, buildError: { ...buildError, message: own.message } }, error: own };
  const { start, end } = buildError.location.ranges[0] ?? {};
  const place = (at: { readonly line: number; readonly character: number }) => ({ line: at.line, column: at.character + 1 });
  const file = result.sources[0]?.filename ?? "Dockerfile";
  const at = start === undefined ? undefined : { file, start: place(start), end: place(end ?? start) };
  return { result, error: new TbuildError("parse_failed", buildError.message, { at }) };
}
