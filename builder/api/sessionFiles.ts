import { type Decoded, type Encodable, schema } from "./schema.js";
import { bigint, blob, blobMap, child, int, oneOf } from "../../solver/llb/message.js";
import { method } from "./method.js";

/**
 * A file's metadata. `path` and `linkname` are bytes, since a name need not be UTF-8; `mode` has the bits of Go's
 * os.FileMode; `mtimeNs` is since the epoch. Source: fsutil, types/stat.proto.
 */
export const fileStat = schema({
  path: blob(1),
  mode: int(2),
  uid: int(3),
  gid: int(4),
  size: int(5),
  mtimeNs: bigint(6),
  linkname: blob(7),
  devMajor: int(8),
  devMinor: int(9),
  xattrs: blobMap(10),
});

/** See {@link fileStat}. */
export type FileStat = Decoded<typeof fileStat>;

/**
 * One packet of a transfer of files. A "stat" without a stat ends the list of files; a "data" without data ends a file.
 * Files are numbered by the order of their stats, from 0 on. Source: fsutil, types/wire.proto.
 */
export const packet = schema({
  type: oneOf(1, ["stat", "request", "data", "finish", "error"]),
  stat: child(2, fileStat),
  id: int(3),
  data: blob(4),
});

/** See {@link packet}. */
export type Packet = Decoded<typeof packet>;

/** A packet to write. */
export type NewPacket = Encodable<typeof packet>;

/** A directory of the client: it sends. */
export const syncFiles = method("/moby.filesync.v1.FileSync/DiffCopy", packet, packet);

/** A directory for the client: it receives. The same path as sendFile's: which of both it is depends on the exporter. */
export const sendFiles = method("/moby.filesync.v1.FileSend/DiffCopy", packet, packet);
