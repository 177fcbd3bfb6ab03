import { TbuildError } from "../../../cache/errors.js";
import type { FrontendResultMessage } from "../../api/gateway.js";
import { type Attestation, digestSet, type Subject } from "../../attest/attestation.js";
import { readPredicate } from "../../attest/readPredicate.js";
import { refuseProvenance, unbundle } from "../../attest/unbundle.js";
import type { ClientRun } from "./clientRun.js";
import type { ClientSolver } from "./clientSolver.js";

type Message = FrontendResultMessage["attestations"][string]["attestation"][number];

const [IN_TOTO, BUNDLE] = [0, 1];
const [SELF, RAW] = [0, 1];

/** What a frontend says of one platform's result itself. @throws {TbuildError} invalid_argument, not_found, corrupt */
export async function ownAttestations(run: ClientRun, solver: ClientSolver, messages: readonly Message[]): Promise<readonly Attestation[]> {
  const all: Attestation[] = [];
  for (const message of messages) all.push(...(await readOne(run, solver, message)));
  return all;
}

async function readOne({ refs }: ClientRun, solver: ClientSolver, message: Message): Promise<readonly Attestation[]> {
  const { kind, ref, path, inTotoPredicateType: predicateType, inTotoSubjects, metadata } = message;
  const traits = { predicateType, inlineOnly: textOf(metadata["inline-only"]) === "true", sbomCore: textOf(metadata["sbom-core"]) ?? null };
  if (ref === null) throw new TbuildError("invalid_argument", kind === BUNDLE ? "no ref provided for attestation bundle" : "attestation does not have available content");
  await using tree = await solver.open(refs.get(ref.id));
  if (kind === BUNDLE) return unbundle(tree.path, path, traits);
  if (kind !== IN_TOTO) throw new TbuildError("invalid_argument", `unknown attestation kind ${kind}`);
  if (path === "") throw new TbuildError("invalid_argument", "attestation does not have set path");
  refuseProvenance(predicateType, "set");
  const bytes = readPredicate(tree.path, path);
  return [{ ...traits, path, subjects: inTotoSubjects.map(subjectOf), content: async () => Promise.resolve(bytes) }];
}

function subjectOf({ kind, name, digest }: Message["inTotoSubjects"][number]): Subject {
  if (kind === SELF) return { kind: "self", name };
  if (kind !== RAW) throw new TbuildError("invalid_argument", `unknown attestation subject type ${kind}`);
  return { kind: "raw", name, digest: Object.assign({}, ...digest.map(digestSet)) as Record<string, string> };
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}
