/**
 * tbuild as a library.
 *
 * ```ts
 * import { createBuilder } from "tbuild";
 *
 * await using builder = await createBuilder({ root: "/var/lib/tbuild" });
 * const build = builder.build({ context: ".", tags: ["app:v1"] });
 * for await (const event of build.progress) if (event.type === "started") console.log(event.vertex);
 * console.log((await build.result).imageId);
 * ```
 */
export { createBuilder, type Builder } from "./builder.js";
export type { CallKind, CallResult } from "./call.js";
export type { Build, BuilderConfig, BuildRequest, BuildResult, RunRequest } from "./request.js";
export type { NodeConfig } from "./remote/nodes/node.js";
export type { VerifyReport } from "./verify/report.js";
export type { VerifyRequest } from "./verify/verify.js";
export { listContext, type ContextEntry, type ContextList, type ContextListRequest } from "./contextList.js";
export type { LockChange, LockUpdateRequest } from "./lock/updateLock.js";
export type { ExportSpec } from "./exporter/exporter.js";
export type { Progress, StatusUpdate, Warning } from "../solver/progress.js";
export { errorCodes, hasCode, isTbuildError, TbuildError, type ErrorCode, type SourceRange } from "../cache/errors.js";
export { formatPlatform, hostPlatform, parsePlatform, type Platform } from "../cache/oci/platform.js";
export { digestOf, isDigest, parseDigest, type Digest } from "../cache/oci/digest.js";
