import { TbuildError } from "../../../cache/errors.js";
import type { StepOpts } from "../../../solver/opRunner.js";
import type { gatewayService } from "../../api/gateway.js";
import type { Decoded, Encodable } from "../../api/schema.js";
import type { Source, SourceMeta } from "../../source/source.js";

type Method = (typeof gatewayService.methods)["ResolveSourceMeta"];

/** `ResolveSourceMetaRequest` about a source. */
export type SourceQuestion = Decoded<Method["request"]>;

/** What a client hears of a source. */
export type SourceAnswer = Encodable<Method["response"]>;

const TOLD = new Set(["git", "http", "https"]);

/**
 * What a repository or a download is now. Bytes of Git objects, and other checksums, are not told.
 * @throws {TbuildError} unsupported, and what the source throws
 */
export async function sourceMeta(sources: readonly Source[], { source, git, http }: SourceQuestion, opts: StepOpts): Promise<SourceAnswer> {
  const { identifier = "", attrs = {} } = source ?? {};
  const scheme = identifier.slice(0, Math.max(0, identifier.indexOf("://")));
  const found = TOLD.has(scheme) ? sources.find(({ schemes }) => schemes.includes(scheme)) : undefined;
  const asked = git?.returnObject === true ? "the bytes of its objects" : (http?.checksumRequest ?? null) !== null ? "another checksum of it" : null;
  if (asked !== null) throw new TbuildError("unsupported", `Cannot tell more of "${identifier}": ${asked} cannot be asked for`);
  const meta = (await found?.resolve({ identifier, attrs, platform: null }, opts))?.meta;
  if (meta !== undefined) return { source, ...answerOf(meta) };
  throw new TbuildError("unsupported", `Cannot tell what "${identifier}" is: only images, Git repositories and downloads are supported`);
}

function answerOf(meta: SourceMeta): SourceAnswer {
  if (meta.kind === "git") {
    const { ref, checksum, commit } = meta;
    return { git: { ref, checksum, commitChecksum: commit === checksum ? "" : commit } };
  }
  const { checksum, filename, lastModified } = meta;
  return { http: { checksum, filename, lastModified: lastModified === 0 ? null : lastModified * 1000 } };
}
