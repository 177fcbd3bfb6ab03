import type { AttestSpecs } from "../../builder/attest/options.js";
import { parseCsv } from "../csv.js";
import { usage } from "../usage.js";

/** `--attest`, and the short forms of its two types, as typed. */
export interface AttestFlags {
  readonly attest: readonly string[];
  readonly provenance: string | undefined;
  readonly sbom: string | undefined;
}

const EXAMPLE = "Write --attest type=provenance,mode=max or --attest type=sbom";

/**
 * What `--attest type=TYPE,KEY=VALUE…`, `--provenance true|false|KEY=VALUE…` and `--sbom` ask for, by type. The short forms win.
 * Source: buildx, util/buildflags/attests.go. @throws {TbuildError} usage
 */
export function parseAttest({ attest, provenance, sbom }: AttestFlags): AttestSpecs {
  const specs: Record<string, Readonly<Record<string, string>>> = {};
  for (const text of attest) {
    const { type, ...attrs } = fieldsOf(text);
    if (type === undefined) throw usage(`Cannot read --attest "${text}": it has no type`, EXAMPLE);
    if (specs[type] !== undefined) throw usage(`Cannot use --attest "${text}": there is one of type "${type}" already`, EXAMPLE);
    specs[type] = attrs;
  }
  return { ...specs, ...(provenance === undefined ? {} : { provenance: shortForm(provenance) }), ...(sbom === undefined ? {} : { sbom: shortForm(sbom) }) };
}

function shortForm(text: string): Readonly<Record<string, string>> {
  if (text === "" || /^(?:1|t|true)$/i.test(text)) return {};
  return /^(?:0|f|false)$/i.test(text) ? { disabled: "true" } : fieldsOf(text);
}

function fieldsOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    parseCsv(text).map((field) => {
      const at = field.indexOf("=");
      if (at < 1) throw usage(`Cannot read "${field}" of attestation "${text}"`, EXAMPLE);
      return [field.slice(0, at).trim(), field.slice(at + 1)];
    }),
  );
}

/** The words with `--provenance` and `--sbom` that have no value as `--provenance=true`: what follows may be the context. */
export function withAttestValues(words: readonly string[]): readonly string[] {
  return words.map((word, index) => {
    if (word !== "--provenance" && word !== "--sbom") return word;
    const hasValue = /^(?:true|false|1|0|[a-zA-Z][\w-]*=.*)$/s.test(words[index + 1] ?? "");
    return hasValue ? word : `${word}=true`;
  });
}
