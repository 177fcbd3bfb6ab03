import { TbuildError } from "../../cache/errors.js";
import type { SlsaVersion } from "./predicate.js";

/** Which attestations a build is to have; null is none of that kind. */
export interface AttestOptions {
  readonly provenance: ProvenanceOptions | null;
  readonly sbom: SbomOptions | null;
}

/** How provenance is told. */
export interface ProvenanceOptions {
  readonly version: SlsaVersion;
  readonly mode: "min" | "max";
  readonly builderId: string;
  /** Its file in outputs of files. */
  readonly filename: string;
  readonly reproducible: boolean;
  readonly inlineOnly: boolean;
  /** Refuse a build whose materials are not all known. */
  readonly completeMaterials: boolean;
}

/** Who makes an SBOM. */
export interface SbomOptions {
  /** An image that follows BuildKit's scanning protocol; null: our own scanner. */
  readonly generator: string | null;
  /** For the generator, as `BUILDKIT_SCAN_NAME`. */
  readonly params: Readonly<Record<string, string>>;
}

/** `type` → attributes, as `--attest type=…` and `attest:TYPE` give them. */
export type AttestSpecs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * Reads what attestations are asked for. Source: BuildKit, frontend/attestations/parse.go and solver/llbsolver/provenance.go.
 * @throws {TbuildError} invalid_argument
 */
export function attestOptions(specs: AttestSpecs): AttestOptions {
  for (const type of Object.keys(specs)) {
    if (type !== "provenance" && type !== "sbom") throw invalid(`unknown attestation type "${type}"`, "There are provenance and sbom");
  }
  const { provenance, sbom } = specs;
  return {
    provenance: isDisabled(provenance) ? null : provenanceOptions(provenance),
    sbom: isDisabled(sbom) ? null : sbomOptions(sbom),
  };
}

function isDisabled(attrs: AttestSpecs[string] | undefined): attrs is undefined {
  return attrs === undefined || bool(attrs, "disabled");
}

function provenanceOptions(attrs: AttestSpecs[string]): ProvenanceOptions {
  return {
    version: version(attrs["version"] ?? "v1"),
    mode: mode(attrs["mode"] ?? "max"),
    builderId: attrs["builder-id"] ?? "",
    filename: attrs["filename"] ?? "provenance.json",
    reproducible: bool(attrs, "reproducible"),
    inlineOnly: bool(attrs, "inline-only"),
    completeMaterials: bool(attrs, "complete-materials"),
  };
}

function sbomOptions({ generator, disabled: _disabled, ...params }: AttestSpecs[string]): SbomOptions {
  if (generator === "") throw invalid("sbom generator cannot be empty", "Leave generator out for the built-in scanner, or name an image");
  return { generator: generator ?? null, params };
}

function version(text: string): SlsaVersion {
  if (text === "v1" || text === "v0.2") return text;
  throw invalid(`invalid provenance SLSA version: ${text}`, "There are v1 and v0.2");
}

function mode(text: string): "min" | "max" {
  if (text === "full") return "max";
  if (text === "min" || text === "max") return text;
  throw invalid(`invalid mode "${text}"`, "There are min and max");
}

function bool(attrs: AttestSpecs[string], key: string): boolean {
  const text = attrs[key];
  if (text === undefined || /^(?:0|f|false)$/i.test(text)) return false;
  if (/^(?:1|t|true)$/i.test(text)) return true;
  throw invalid(`failed to parse ${key} flag "${text}"`, "Write true or false");
}

function invalid(why: string, hint: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot attest: ${why}`, { hint });
}
