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
 * What a repository or a download is now; of other sources nothing is told but that they stay what was asked for. Other
 * checksums are not made. @throws {TbuildError} unsupported, and what the source throws
 */
export async function sourceMeta(sources: readonly Source[], { source, git, http }: SourceQuestion, opts: StepOpts): Promise<SourceAnswer> {
  const { identifier = "", attrs = {} } = source ?? {};
  const scheme = identifier.slice(0, Math.max(0, identifier.indexOf("://")));
  const found = sources.find(({ schemes }) => schemes.includes(scheme));
  if (found === undefined) throw unknown(identifier, "there is no such kind of source");
  if ((http?.checksumRequest ?? null) !== null) throw unknown(identifier, "another checksum of it cannot be asked for");
  if (!TOLD.has(scheme)) return { source };
  const { meta } = await found.resolve({ identifier, attrs, platform: null }, opts);
  return meta === undefined ? { source } : { source, ...(await answerOf(meta, git?.returnObject === true, opts)) };
}

function unknown(identifier: string, why: string): TbuildError {
  return new TbuildError("unsupported", `Cannot tell what "${identifier}" is: ${why}`);
}

async function answerOf(meta: SourceMeta, withObjects: boolean, opts: StepOpts): Promise<SourceAnswer> {
  if (meta.kind === "git") {
    const { ref, checksum, commit } = meta;
    const objects = withObjects ? await meta.objects(opts) : null;
    const bytes = objects === null ? {} : { commitObject: objects.commit, ...(objects.tag === null ? {} : { tagObject: objects.tag }) };
    return { git: { ref, checksum, commitChecksum: commit === checksum ? "" : commit, ...bytes } };
  }
  const { checksum, filename, lastModified } = meta;
  return { http: { checksum, filename, lastModified: lastModified === 0 ? null : lastModified * 1000 } };
}
