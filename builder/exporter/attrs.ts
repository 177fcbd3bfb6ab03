import { TbuildError } from "../../cache/errors.js";
import { formatReference, parseReference, withDefaultTag } from "../../cache/oci/reference.js";
import { suggest } from "../../frontend/dockerfile/suggest.js";
import { type Annotation, parseAnnotation } from "../image/annotations.js";
import type { Flavour } from "../image/assemble.js";
import type { PackOptions } from "../image/packed.js";
import { readCompression } from "./compression.js";
import type { ExportSpec } from "./exporter.js";

/** Attributes of an export, read one by one, so that those that nobody reads are refused and not skipped. */
export interface Attrs {
  text(key: string): string | undefined;
  bool(key: string, fallback: boolean): boolean;
  /** All `annotation….key=value`. @throws {TbuildError} invalid_argument */
  annotations(): readonly Annotation[];
  required(key: string, hint: string): string;
  invalid(key: string, expected: string): TbuildError;
  /** @throws {TbuildError} invalid_argument for an attribute that was not read */
  finish(): void;
}

/** Attributes of `spec`, which is an output unless told otherwise: "cache import". */
export function readAttrs({ type, attrs }: { readonly type: string; readonly attrs: ExportSpec["attrs"] }, what = "output"): Attrs {
  const known = new Set<string>();
  const invalid = (key: string, expected: string) =>
    new TbuildError(
      "invalid_argument",
      `Cannot use "${key}=${attrs[key] ?? ""}" of ${what} type "${type}": it must be ${expected}`,
    );
  function text(key: string): string | undefined {
    known.add(key);
    return attrs[key];
  }
  function bool(key: string, fallback: boolean): boolean {
    const value = text(key);
    if (value === undefined) return fallback;
    if (/^(?:true|1|t|)$/i.test(value)) return true;
    if (/^(?:false|0|f)$/i.test(value)) return false;
    throw invalid(key, "true or false");
  }
  return {
    text,
    bool,
    invalid,
    annotations() {
      return Object.entries(attrs).flatMap(([key, value]) => {
        const annotation = parseAnnotation(key, value);
        if (annotation !== null) known.add(key);
        return annotation ?? [];
      });
    },
    required(key, hint) {
      const value = text(key);
      if (value === undefined || value === "") throw new TbuildError(
        "invalid_argument",
        what === "output" ? `Cannot export as "${type}": no "${key}" given` : `Cannot use ${what} type "${type}": no "${key}" given`,
        { hint },
      );
      return value;
    },
    finish() {
      const unread = Object.keys(attrs).find((key) => !known.has(key));
      if (unread !== undefined) throw unknownName(`attribute of ${what} type "${type}"`, unread, [...known]);
    },
  };
}

/** Full references of `name=a,b`; none when it is absent or empty. @throws {TbuildError} invalid_reference */
export function readNames(attrs: Attrs): readonly string[] {
  const names = (attrs.text("name") ?? "").split(",").filter((name) => name.trim() !== "");
  return [...new Set(names.map((name) => formatReference(withDefaultTag(parseReference(name.trim())))))];
}

/** How layers are packed: compression, compression-level, force-compression, oci-mediatypes, prefer-nondist-layers, annotation*. */
export function readPackOptions(attrs: Attrs): PackOptions & { readonly flavour: Flavour } {
  return {
    ...readCompression(attrs),
    flavour: attrs.bool("oci-mediatypes", true) ? "oci" : "docker",
    annotations: attrs.annotations(),
    foreign: attrs.bool("prefer-nondist-layers", false) ? "keep" : "convert",
  };
}

/** The error for a name that is none of `known`, with the closest of them. */
export function unknownName(what: string, name: string, known: readonly string[]): TbuildError {
  const near = suggest(name, known);
  const hint = near === null ? `Known are ${[...known].sort().join(", ")}` : `Did you mean "${near}"?`;
  return new TbuildError("invalid_argument", `Unknown ${what}: "${name}"`, { hint });
}
