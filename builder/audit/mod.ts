import type { Store } from "../../cache/store.js";
import { applyCheck, type CheckOptions, refuseViolations } from "../../frontend/dockerfile/checks/options.js";
import type { Vertex } from "../../solver/graph.js";
import type { Warning } from "../../solver/progress.js";
import type { SecretStore } from "../secrets/secretStore.js";
import { warnOfLeaks } from "./leaked.js";
import { newLayers } from "./newLayers.js";
import { warnOfWaste } from "./wasted.js";

/** An image about to be exported. */
export interface Audit {
  readonly store: Store;
  /** Its top snapshot; null is an empty image. */
  readonly top: string | null;
  /** The steps that made its layers, lowest first. */
  readonly steps: readonly Vertex[];
  readonly secrets: SecretStore;
  readonly check: CheckOptions;
}

/** Looks into the new layers of an image. @throws {TbuildError} invalid_argument when `check` turns what is found into errors */
export async function auditImage({ store, top, steps, secrets, check }: Audit, signal: AbortSignal): Promise<readonly Warning[]> {
  const layers = await newLayers(store, top, steps);
  const found: Warning[] = [];
  const warn = (warning: Warning): void => void found.push(warning);
  await warnOfLeaks(store, layers, secrets, signal, warn);
  await warnOfWaste(store, layers, signal, warn);
  const left = applyCheck(check, found);
  refuseViolations(check, left);
  return left;
}
