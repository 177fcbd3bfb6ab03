import type { Store } from "../../cache/store.js";
import { violation, type WarningSink } from "../../frontend/dockerfile/lint.js";
import type { SecretStore } from "../secrets/secretStore.js";
import type { NewLayer } from "./newLayers.js";

/** Warns of files in `layers` that contain the whole value of a secret which the build was given and read. */
export async function warnOfLeaks(store: Store, layers: readonly NewLayer[], secrets: SecretStore, signal: AbortSignal, warn: WarningSink): Promise<void> {
  const telling = secrets.telling();
  if (telling.length === 0) return;
  const patterns = telling.map(({ value }) => value);
  const found = layers.map(async ({ upper }) => (upper === null ? [] : await store.bulk.run("findBytes", { path: upper, patterns }, { signal })));
  (await Promise.all(found)).forEach((files, index) => {
    for (const { path, pattern } of files) warn(violation("SecretValueExposed", layers[index]!.at, `File "/${path}"`, telling[pattern]!.id));
  });
}
