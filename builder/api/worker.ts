import { platform } from "../../solver/llb/codecRest.js";
import { child, children, flag, int, text, textMap, texts } from "../../solver/llb/message.js";
import { type Decoded, type Encodable, schema } from "./schema.js";

/** `BuildkitVersion`. */
export const buildkitVersion = schema({ package: text(1), version: text(2), revision: text(3), dockerfileVersion: text(4) });

/** `GCPolicy`; `keepDuration` in nanoseconds, space in bytes. */
export const gcPolicy = schema({
  all: flag(1),
  keepDuration: int(2),
  reservedSpace: int(3),
  filters: texts(4),
  maxUsedSpace: int(5),
  minFreeSpace: int(6),
});

const cdiDevice = schema({ name: text(1), autoAllow: flag(2), annotations: textMap(3), onDemand: flag(4) });

/** `WorkerRecord`. */
export const workerRecord = schema({
  id: text(1),
  labels: textMap(2),
  platforms: children(3, platform),
  gcPolicy: children(4, gcPolicy),
  buildkitVersion: child(5, buildkitVersion),
  cdiDevices: children(6, cdiDevice),
});

/** See {@link workerRecord}. */
export type WorkerRecord = Decoded<typeof workerRecord>;

/** What is written as a {@link WorkerRecord}. */
export type WorkerRecordInput = Encodable<typeof workerRecord>;
