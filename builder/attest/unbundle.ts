import { readdirSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { resolvedInRoot } from "../executor/rootFile.js";
import { type Attestation, type DigestSet, PROVENANCE, type Subject } from "./attestation.js";
import { readPredicate } from "./readPredicate.js";
import { isCore } from "./supplement.js";

/** What a bundle says of all its statements. */
export type BundleTraits = Pick<Attestation, "predicateType" | "inlineOnly" | "sbomCore">;

/**
 * The statements in the directory `dir` of the tree at `root`, each a file; the SBOM of the result itself comes first.
 * `predicateType` "" takes all types. Source: BuildKit, exporter/attestation/unbundle.go. @throws {TbuildError} not_found, corrupt,
 * invalid_argument
 */
export function unbundle(root: string, dir: string, traits: BundleTraits): readonly Attestation[] {
  const place = resolvedInRoot(root, path.posix.join("/", dir));
  if (place === null) throw new TbuildError("not_found", `Cannot read the attestations in "${dir}": there is no such directory`);
  const found = namesIn(place, dir).map((name) => statementIn(root, path.posix.join("/", dir, name), traits));
  return coreFirst(found);
}

/** Refuses what only the builder may say. @throws {TbuildError} invalid_argument */
export function refuseProvenance(predicateType: string, verb: "set" | "bundle"): void {
  if (predicateType.startsWith(PROVENANCE)) throw new TbuildError("invalid_argument", `frontend may not ${verb} provenance attestations`);
}

/** The SBOM of the result itself before all others, which keep their order. */
export function coreFirst(attestations: readonly Attestation[]): readonly Attestation[] {
  return [...attestations.filter(isCore), ...attestations.filter((one) => !isCore(one))];
}

function namesIn(place: string, dir: string): readonly string[] {
  try {
    return readdirSync(place).sort();
  } catch (cause) {
    throw new TbuildError("invalid_argument", `Cannot read the attestations in "${dir}": it is no directory`, { cause });
  }
}

interface Statement {
  readonly predicateType: string;
  readonly subject: readonly { readonly name: string; readonly digest: DigestSet }[];
  readonly predicate: unknown;
}

function statementIn(root: string, file: string, traits: BundleTraits): Attestation {
  const { predicateType, subject, predicate } = parsed(readPredicate(root, file), file);
  if (traits.predicateType !== "" && predicateType !== traits.predicateType) {
    throw new TbuildError("invalid_argument", `bundle entry ${predicateType} does not match required predicate type ${traits.predicateType}`);
  }
  refuseProvenance(predicateType, "bundle");
  const subjects = subject.map(({ name, digest }): Subject => ({ kind: "raw", name, digest }));
  const bytes = Buffer.from(JSON.stringify(predicate));
  return { ...traits, predicateType, path: file, subjects, content: async () => Promise.resolve(bytes) };
}

function parsed(bytes: Uint8Array, file: string): Statement {
  const bad = (cause?: unknown) => new TbuildError("corrupt", `Cannot read the attestation "${file}": it is no in-toto statement`, { cause });
  let value: Partial<Statement> | null;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<Statement> | null;
  } catch (cause) {
    throw bad(cause);
  }
  const { predicateType, subject, predicate = null } = value ?? {};
  if (typeof predicateType !== "string" || !isSubjects(subject ?? [])) throw bad();
  return { predicateType, subject: subject ?? [], predicate };
}

function isSubjects(value: unknown): value is Statement["subject"] {
  return Array.isArray(value) && value.every((one: Partial<Statement["subject"][number]> | null) => typeof one?.name === "string" && typeof one.digest === "object");
}
