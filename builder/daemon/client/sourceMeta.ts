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
 * What a repository or a download is now. Nothing is told of sources that are only known by being read.
 * @throws {TbuildError} unsupported, invalid_argument, and what the source throws
 */
export async function sourceMeta(sources: readonly Source[], { source, git, http }: SourceQuestion, opts: StepOpts): Promise<SourceAnswer> {
  const { identifier = "", attrs = {} } = source ?? {};
  const scheme = identifier.slice(0, Math.max(0, identifier.indexOf("://")));
  const checksum = checksumOf(http?.checksumRequest ?? null, identifier);
  const found = sources.find(({ schemes }) => schemes.includes(scheme));
  if (found === undefined) throw new TbuildError("unsupported", `Cannot tell what "${identifier}" is: no source for "${scheme}://"`);
  const meta = TOLD.has(scheme) ? (await found.resolve({ identifier, attrs, platform: null }, opts)).meta : undefined;
  if (meta === undefined) return { source };
  return { source, ...(await answerOf(meta, { checksum, objects: git?.returnObject === true }, opts)) };
}

type ChecksumRequest = NonNullable<NonNullable<SourceQuestion["http"]>["checksumRequest"]>;

interface Checksum {
  readonly algorithm: string;
  readonly suffix: Uint8Array;
}

/** Algorithms by their number. Source: BuildKit, frontend/gateway/pb. */
const ALGORITHMS = ["sha256", "sha384", "sha512"];

/** Bytes; what signatures add is short. */
const MAX_SUFFIX = 4096;

function checksumOf(request: ChecksumRequest | null, identifier: string): Checksum | null {
  if (request === null) return null;
  const { algo, suffix } = request;
  const algorithm = ALGORITHMS[algo];
  if (suffix.length > MAX_SUFFIX) throw new TbuildError("invalid_argument", `Cannot tell the checksum of "${identifier}": the suffix exceeds max size ${MAX_SUFFIX}`);
  if (algorithm === undefined) throw new TbuildError("invalid_argument", `Cannot tell the checksum of "${identifier}": unsupported checksum algorithm ${algo}`);
  return { algorithm, suffix };
}

/** What is told besides. */
interface Further {
  readonly checksum: Checksum | null;
  readonly objects: boolean;
}

async function answerOf(meta: SourceMeta, wanted: Further, opts: StepOpts): Promise<SourceAnswer> {
  if (meta.kind === "git") {
    const { ref, checksum, commit } = meta;
    const objects = wanted.objects ? await meta.objects(opts) : null;
    const bytes = objects === null ? {} : { commitObject: objects.commit, tagObject: objects.tag ?? new Uint8Array() };
    return { git: { ref, checksum, commitChecksum: commit === checksum ? "" : commit, ...bytes } };
  }
  const { checksum, filename, lastModified } = meta;
  const checksumResponse = wanted.checksum === null ? null : { digest: await meta.digestWith(wanted.checksum.algorithm, wanted.checksum.suffix, opts), suffix: wanted.checksum.suffix };
  return { http: { checksum, filename, lastModified: lastModified === 0 ? null : lastModified * 1000, checksumResponse } };
}
