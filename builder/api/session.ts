import { blob, blobMap, children, int, text, textMap, texts } from "../../solver/llb/message.js";
import { typeAndAttrs } from "./common.js";
import { method } from "./method.js";
import { schema } from "./schema.js";

// What a client offers to the daemon through its session. Source: BuildKit, session/*/*.proto.

/** Bytes in pieces, of services that are byte streams. */
export const bytesMessage = schema({ data: blob(1) });

const nothing = schema({});

/** Is the client still there? Source: grpc/health/v1. */
export const checkHealth = method(
  "/grpc.health.v1.Health/Check",
  schema({ service: text(1) }),
  schema({ status: int(1) }),
);

/** A login for a registry; the username of an identity token is empty, and so is all of it when there is none. */
export const getCredentials = method(
  "/moby.filesync.v1.Auth/Credentials",
  schema({ host: text(1) }),
  schema({ username: text(1), secret: text(2) }),
);

/** A registry token that the client fetches, with a login that it keeps to itself. Times in seconds, since the epoch. */
export const fetchToken = method(
  "/moby.filesync.v1.Auth/FetchToken",
  schema({ clientId: text(1), host: text(2), realm: text(3), service: text(4), scopes: texts(5) }),
  schema({ token: text(1), expiresIn: int(2), issuedAt: int(3) }),
);

/** A client that has a key for a registry fetches tokens itself: see {@link fetchToken}. */
export const getTokenAuthority = method(
  "/moby.filesync.v1.Auth/GetTokenAuthority",
  schema({ host: text(1), salt: blob(2) }),
  schema({ publicKey: blob(1) }),
);

/** One secret of the client. */
export const getSecret = method(
  "/moby.buildkit.secrets.v1.Secrets/GetSecret",
  schema({ id: text(1), annotations: textMap(2) }),
  schema({ data: blob(1) }),
);

/** Fails unless the client has an ssh agent of this id. */
export const checkAgent = method("/moby.sshforward.v1.SSH/CheckAgent", schema({ id: text(1) }), nothing);

/** One connection to an ssh agent of the client, both ways. */
export const forwardAgent = method("/moby.sshforward.v1.SSH/ForwardAgent", bytesMessage, bytesMessage);

/** The bytes that a client was given on its standard input. */
export const pullUpload = method("/moby.upload.v1.Upload/Pull", bytesMessage, bytesMessage);

/** A file that an exporter gives the client. */
export const sendFile = method("/moby.filesync.v1.FileSend/DiffCopy", bytesMessage, bytesMessage);

/** Which outputs the client wants besides, now that there is a result: its metadata, and references that can be asked about. */
export const findExporters = method(
  "/moby.exporter.v1.Exporter/FindExporters",
  schema({ metadata: blobMap(1), refs: texts(2) }),
  schema({ exporters: children(1, typeAndAttrs) }),
);

/** Tells the client what came of all outputs. */
export const finalizeExport = method("/moby.exporter.v1.Exporter/FinalizeExport", schema({ response: textMap(1) }), nothing);
/** Proves that a client still has the key of {@link getTokenAuthority}: the answer is the payload behind its signature. */
export const verifyTokenAuthority = method(
  "/moby.filesync.v1.Auth/VerifyTokenAuthority",
  schema({ host: text(1), payload: blob(2), salt: blob(3) }),
  schema({ signed: blob(1) }),
);
