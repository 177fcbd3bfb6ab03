// Entry of the pool's worker threads: which module runs which job. Each is loaded on first use, so that a thread pays
// only for what it runs.
import type { BulkJobs, JobContext } from "./jobs.js";
import { requireNative } from "../sys/native.js";
import { serveJobs } from "./serve.js";

type Loaders = {
  readonly [K in keyof BulkJobs]: () => Promise<(input: BulkJobs[K]["input"], ctx: JobContext) => BulkJobs[K]["output"]>;
};

const jobs: Loaders = {
  applyLayer: async () => (await import("../diff/apply.js")).applyLayer,
  applyApart: async () => (await import("../diff/apply.js")).applyApart,
  hideBelow: async () => (await import("../diff/hideBelow.js")).hideBelow,
  diffLayer: async () => (await import("../diff/compare.js")).diffLayer,
  readLayer: async () => (await import("../diff/readLayer.js")).readLayer,
  indexTar: async () => (await import("../diff/estargz/indexTar.js")).indexTar,
  layerEntries: async () => (await import("../diff/layerEntries.js")).layerEntries,
  firstDifference: async () => (await import("../diff/firstDifference.js")).firstDifference,
  hashTree: async () => (await import("../tree/hashTree.js")).hashTree,
  hashTrees: async () => (await import("../tree/hashTree.js")).hashTrees,
  fileActions: async () => (await import("../tree/actions.js")).fileActions,
  removeTree: async () => (await import("../tree/removeTree.js")).removeTree,
  removeTrees: async () => (await import("../tree/removeTree.js")).removeTrees,
  diskUsages: async () => (await import("../tree/diskUsage.js")).diskUsages,
  diskUsage: async () => (await import("../tree/diskUsage.js")).diskUsage,
  exportTree: async () => (await import("../tree/exportTree.js")).exportTree,
  findOverlap: async () => (await import("../tree/overlap.js")).findOverlap,
  mirror: async () => (await import("../tree/mirror.js")).mirror,
  changedPaths: async () => (await import("../tree/changedPaths.js")).changedPaths,
  findBytes: async () => (await import("../tree/findBytes.js")).findBytes,
  listTree: async () => (await import("../tree/listTree.js")).listTree,
  fileDigests: async () => (await import("../tree/fileDigests.js")).fileDigests,
  readPieces: async () => (await import("../tree/readPieces.js")).readPieces,
  writeTree: async () => (await import("../tree/writeTree.js")).writeTree,
  packMount: async () => (await import("../mountPack/packMount.js")).packMount,
  unpackMount: async () => (await import("../mountPack/unpackMount.js")).unpackMount,
  copyTree: async () => {
    const { copyTree } = await import("../snapshot/copyTree.js");
    return ({ from, to }, ctx) => {
      copyTree(from, to, (bytes, files) => ctx.tick(bytes, files));
      return null;
    };
  },
  linkTree: async () => {
    const { linkTree } = await import("../snapshot/copyTree.js");
    return ({ from, to }, ctx) => {
      linkTree(from, to, (bytes, files) => ctx.tick(bytes, files));
      return null;
    };
  },
};

serveJobs(jobs);
// Most builds begin by hashing the context: what that needs is loaded while the main thread still plans.
void jobs.hashTree();
requireNative("koffi");
requireNative("lmdb");
