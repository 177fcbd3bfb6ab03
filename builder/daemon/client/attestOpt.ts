import { TbuildError } from "../../../cache/errors.js";
import { splitCsv } from "../../../frontend/dockerfile/csv.js";
import { type AttestOptions, attestOptions, type AttestSpecs } from "../../attest/options.js";
import type { FrontendOpt } from "../frontend/frontendOpt.js";

/** What of options `attest:TYPE` and build arguments `BUILDKIT_ATTEST_TYPE` asks for attestations. @throws {TbuildError} invalid_argument */
export function attestOptionsIn(opt: FrontendOpt): AttestOptions {
  const specs = Object.entries(opt).flatMap(([key, value]) => {
    const type = /^(?:attest:|build-arg:BUILDKIT_ATTEST_)(.+)$/.exec(key)?.[1];
    return type === undefined ? [] : [[type.toLowerCase(), attrsIn(value)] as const];
  });
  return attestOptions(Object.fromEntries(specs));
}

function attrsIn(text: string): AttestSpecs[string] {
  const fields = text === "" ? [] : splitCsv(text);
  if (fields === null) throw new TbuildError("invalid_argument", `Cannot attest: failed to parse "${text}": a quote stands in the wrong place`);
  return Object.fromEntries(fields.map((field) => [field.split("=", 1)[0]!, field.includes("=") ? field.slice(field.indexOf("=") + 1) : ""]));
}
