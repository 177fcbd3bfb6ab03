import { definitionCodec, sourceInfo, wireRange } from "../../solver/llb/codecDefinition.js";
import { platform } from "../../solver/llb/codecRest.js";
import { sourceOp } from "../../solver/llb/codecSource.js";
import { blob, blobMap, blobs, child, childMap, children, flag, int, text, textMap, texts } from "../../solver/llb/message.js";
import { apiCap, descriptor, empty, status, typeAndAttrs } from "./common.js";
import { fileStat } from "./sessionFiles.js";
import { execMessage, newContainerRequest, releaseContainerRequest } from "./container.js";
import { bidi, service, unary } from "./service.js";
import { sourcePolicy } from "./policy.js";
import { type Decoded, schema, time } from "./schema.js";
import { workerRecord } from "./worker.js";

const ref = schema({ id: text(1), def: child(2, definitionCodec) });
const refMap = schema({ refs: childMap(1, ref) });
const refMapDeprecated = schema({ refs: textMap(1) });

const inTotoSubject = schema({ kind: int(1), digest: texts(2), name: text(3) });

const attestation = schema({
  kind: int(1),
  metadata: blobMap(2),
  ref: child(3, ref),
  path: text(4),
  inTotoPredicateType: text(5),
  inTotoSubjects: children(6, inTotoSubject),
});

/** `Result` of a frontend. Of the first four fields, one is there; an empty id is the empty tree. */
export const result = schema({
  refDeprecated: text(1),
  refsDeprecated: child(2, refMapDeprecated),
  ref: child(3, ref),
  refs: child(4, refMap),
  metadata: blobMap(10),
  attestations: childMap(12, schema({ attestation: children(1, attestation) })),
});

/** See {@link result}. */
export type FrontendResultMessage = Decoded<typeof result>;

const solveRequest = schema({
  definition: child(1, definitionCodec),
  frontend: text(2),
  frontendOpt: textMap(3),
  allowResultReturn: flag(5),
  allowResultArrayRef: flag(6),
  final: flag(10),
  exporterAttr: blob(11),
  cacheImports: children(12, typeAndAttrs),
  frontendInputs: childMap(13, definitionCodec),
  evaluate: flag(14),
  sourcePolicies: children(15, sourcePolicy),
});

/** `SolveRequest` of the gateway. */
export type GatewaySolveRequest = Decoded<typeof solveRequest>;

const solveResponse = schema({ refDeprecated: text(1), result: child(3, result) });

const returnRequest = schema({ result: child(1, result), error: child(2, status) });

/** `ReturnRequest`. */
export type ReturnRequest = Decoded<typeof returnRequest>;

const resolveImageConfigRequest = schema({
  ref: text(1),
  platform: child(2, platform),
  resolveMode: text(3),
  logName: text(4),
  resolverType: int(5),
  sessionId: text(6),
  storeId: text(7),
  sourcePolicies: children(8, sourcePolicy),
});

/** `ResolveSourceMetaRequest`, which a client's policy may send back to the daemon as well. */
export const resolveSourceMetaRequest = schema({
  source: child(1, sourceOp),
  platform: child(2, platform),
  logName: text(3),
  resolveMode: text(4),
  git: child(5, schema({ returnObject: flag(1) })),
  image: child(6, schema({ noConfig: flag(1), attestationChain: flag(2), resolveAttestations: texts(3) })),
  http: child(7, schema({ checksumRequest: child(1, schema({ algo: int(1), suffix: blob(2) })) })),
  sourcePolicies: children(8, sourcePolicy),
});

const attestationChain = schema({
  root: text(1),
  imageManifest: text(2),
  attestationManifest: text(3),
  signatureManifests: texts(4),
  blobs: childMap(5, schema({ descriptor: child(1, descriptor), data: blob(2) })),
});

/** `ResolveSourceMetaResponse`. */
export const resolveSourceMetaResponse = schema({
  source: child(1, sourceOp),
  image: child(2, schema({ digest: text(1), config: blob(2), attestationChain: child(3, attestationChain) })),
  git: child(3, schema({ checksum: text(1), ref: text(2), commitChecksum: text(3), commitObject: blob(4), tagObject: blob(5) })),
  http: child(
    4,
    schema({
      checksum: text(1),
      filename: text(2),
      lastModified: time(3),
      checksumResponse: child(4, schema({ digest: text(1), suffix: blob(2) })),
    }),
  ),
});

const readFileRequest = schema({
  ref: text(1),
  filePath: text(2),
  range: child(3, schema({ offset: int(1), length: int(2) })),
  mountIndex: int(4),
});
const readDirRequest = schema({ ref: text(1), dirPath: text(2), includePattern: text(3), mountIndex: int(4) });
const statFileRequest = schema({ ref: text(1), path: text(2), mountIndex: int(3) });

const pong = schema({ frontendApiCaps: children(1, apiCap), llbCaps: children(2, apiCap), workers: children(3, workerRecord) });

const warnRequest = schema({
  digest: text(1),
  level: int(2),
  short: blob(3),
  detail: blobs(4),
  url: text(5),
  info: child(6, sourceInfo),
  ranges: children(7, wireRange),
});

const readFileResponse = schema({ data: blob(1) });
const readDirResponse = schema({ entries: children(1, fileStat) });
const statFileResponse = schema({ stat: child(1, fileStat) });

/** `moby.buildkit.v1.frontend.LLBBridge`. */
export const gatewayService = service("moby.buildkit.v1.frontend.LLBBridge", {
  ResolveImageConfig: unary(resolveImageConfigRequest, schema({ digest: text(1), config: blob(2), ref: text(3) })),
  ResolveSourceMeta: unary(resolveSourceMetaRequest, resolveSourceMetaResponse),
  Solve: unary(solveRequest, solveResponse),
  ReadFile: unary(readFileRequest, readFileResponse),
  ReadDir: unary(readDirRequest, readDirResponse),
  StatFile: unary(statFileRequest, statFileResponse),
  Evaluate: unary(schema({ ref: text(1) }), empty),
  Ping: unary(empty, pong),
  Return: unary(returnRequest, empty),
  Inputs: unary(empty, schema({ definitions: childMap(1, definitionCodec) })),
  NewContainer: unary(newContainerRequest, empty),
  ReleaseContainer: unary(releaseContainerRequest, empty),
  ExecProcess: bidi(execMessage, execMessage),
  ReadFileContainer: unary(readFileRequest, readFileResponse),
  ReadDirContainer: unary(readDirRequest, readDirResponse),
  StatFileContainer: unary(statFileRequest, statFileResponse),
  Warn: unary(warnRequest, empty),
});
