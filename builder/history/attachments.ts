import type { Opts } from "../../cache/content/store.js";
import { PROVENANCE } from "../attest/attestation.js";
import { PREDICATE_TYPE } from "./buildEnd.js";
import type { BuildHistory, BuildHistoryRecord } from "./buildHistory.js";

/** A blob that says something of a build's result. */
export interface Attachment {
  readonly Digest: string;
  /** Absent for the only one. */
  readonly Platform?: string;
  /** Type of the predicate. */
  readonly Type: string;
}

/** Something that a build was made of. */
export interface Material {
  readonly URI: string;
  readonly Digests: readonly string[];
}

/** What a record's attestations are. */
export function attachmentsOf({ result, results }: BuildHistoryRecord): readonly Attachment[] {
  const infos = [["", result] as const, ...Object.entries(results)];
  return infos.flatMap(([platform, info]) =>
    (info?.attestations ?? []).map(({ digest, annotations }) => ({ Digest: digest, ...(platform === "" ? {} : { Platform: platform }), Type: annotations[PREDICATE_TYPE] ?? "" })),
  );
}

interface Dependency {
  readonly uri?: string;
  readonly digest?: Readonly<Record<string, string>>;
}

interface Predicate {
  readonly buildDefinition?: { readonly resolvedDependencies?: readonly Dependency[] };
  readonly materials?: readonly Dependency[];
}

/** What a build was made of, as its provenance says; nothing where it has none. @throws {TbuildError} unavailable, not_found */
export async function materialsOf(history: BuildHistory, record: BuildHistoryRecord, opts: Opts): Promise<readonly Material[]> {
  const found = attachmentsOf(record).find(({ Type }) => Type.startsWith(PROVENANCE));
  if (found === undefined) return [];
  const chunks: Uint8Array[] = [];
  for await (const chunk of history.read(found.Digest, opts)) chunks.push(chunk);
  const { buildDefinition, materials } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Predicate;
  const all = buildDefinition?.resolvedDependencies ?? materials ?? [];
  return all.map(({ uri = "", digest = {} }) => ({ URI: uri, Digests: Object.entries(digest).map(([algorithm, hex]) => `${algorithm}:${hex}`) }));
}
