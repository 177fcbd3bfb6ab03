import { readAttrs } from "./attrs.js";
import type { Exporter, ExportSpec } from "./exporter.js";

/** `type=cacheonly`: the build is run for its cache. */
export function nothingExporter(spec: ExportSpec): Exporter {
  readAttrs(spec).finish();
  return {
    name: "exporting nothing",
    needs: { kind: "nothing" },
    readsFiles: false,
    export: async () => Promise.resolve({ metadata: {}, descriptor: null }),
  };
}
