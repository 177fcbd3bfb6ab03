import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { hasCode, isTbuildError, TbuildError } from "../../cache/errors.js";
import { parseReference, withDefaultTag } from "../../cache/oci/reference.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { RemoteAccess } from "../remote.js";
import { createLayoutClient, findInLayout } from "../source/layoutClient.js";
import { archiveClient } from "./archiveClient.js";
import type { OpenImage } from "./imageSide.js";
import { remoteImage } from "./remoteSide.js";
import { storedImage } from "./storedSide.js";

/** What {@link openImage} works with. */
export interface ImageDeps {
  readonly store: Store;
  readonly access: RemoteAccess;
  readonly opts: StepOpts;
}

/** Where an image is looked for: "registry" passes over the image store and files. */
export type ImagePlace = "anywhere" | "registry";

/**
 * An image by name or ID of the image store, else an OCI archive or layout by its path, else one of a registry. `oci-layout://PATH` is a
 * layout in any case. @throws {TbuildError} not_found, invalid_reference, unauthorized, unavailable, digest_mismatch, corrupt, unsupported
 */
export async function openImage(deps: ImageDeps, name: string, place: ImagePlace): Promise<OpenImage> {
  const { store, access, opts } = deps;
  const layout = /^oci-layout:\/\/(.*?)(?::([\w.-]+))?$/.exec(name);
  if (layout !== null) return await layoutImage(deps, layout[1]!, layout[2] ?? null);
  const stored = place === "registry" ? null : inStore(store, name);
  if (stored !== null) return storedImage(deps, stored);
  if (place === "anywhere" && existsSync(name)) {
    if (statSync(name).isFile()) return await archiveImage(deps, name);
    if (existsSync(path.join(name, "oci-layout"))) return await layoutImage(deps, name, null);
  }
  try {
    return await remoteImage({ store, client: access.client, opts }, withDefaultTag(parseReference(name)));
  } catch (error) {
    if (!isTbuildError(error) || hasCode(error, "cancelled") || place === "registry") throw error;
    throw new TbuildError(error.code, error.message, { hint: error.hint ?? "Nor is it in the image store", cause: error });
  }
}

function inStore({ images }: Store, name: string): ReturnType<Store["images"]["resolve"]> | null {
  try {
    return images.resolve(name);
  } catch (error) {
    if (hasCode(error, "not_found") || hasCode(error, "invalid_reference")) return null;
    throw error;
  }
}

async function layoutImage({ store, opts }: ImageDeps, dir: string, tag: string | null): Promise<OpenImage> {
  const whole = path.resolve(dir);
  return await remoteImage({ store, client: createLayoutClient(whole), opts }, { ...LOCAL, digest: findInLayout(whole, tag) });
}

async function archiveImage({ store, opts }: ImageDeps, file: string): Promise<OpenImage> {
  const { client, digest } = await archiveClient(store, file, opts);
  return await remoteImage({ store, client, opts }, { ...LOCAL, digest });
}

/** Stands for what is in a file. */
const LOCAL = { registry: "localhost", repository: "image", tag: null };
