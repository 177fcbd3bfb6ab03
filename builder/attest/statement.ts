import { TbuildError } from "../../cache/errors.js";
import type { Attestation, DigestSet } from "./attestation.js";

/** The result under one of its names. */
export interface NamedSubject {
  readonly name: string;
  readonly digest: DigestSet;
}

const STATEMENT = "https://in-toto.io/Statement/v1";

/**
 * The in-toto statement of an attestation whose predicate is `content`; `self` is the result. Pure.
 * Source: in-toto attestation spec v1; BuildKit, exporter/attestation/make.go. @throws {TbuildError} corrupt
 */
export function statementOf({ predicateType, path, subjects }: Attestation, content: Uint8Array, self: readonly NamedSubject[]): object {
  const told = subjects.length === 0 ? [{ kind: "self", name: "" } as const] : subjects;
  const subject = told.flatMap((one) =>
    one.kind === "raw"
      ? [{ name: one.name === "" ? "_" : one.name, digest: one.digest }]
      : self.flatMap(({ name, digest }) => [name, ...(one.name === "" ? [] : [one.name])].map((shown) => ({ name: shown, digest }))),
  );
  return { _type: STATEMENT, predicateType, subject, predicate: predicateIn(content, path) };
}

function predicateIn(content: Uint8Array, path: string): unknown {
  if (content.length === 0) return null;
  try {
    return JSON.parse(Buffer.from(content).toString("utf8"));
  } catch (cause) {
    throw new TbuildError("corrupt", `Cannot attach the attestation "${path}": it is no JSON`, { cause });
  }
}
