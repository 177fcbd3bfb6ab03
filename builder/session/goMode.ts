import { TbuildError } from "../../cache/errors.js";

// st_mode, from stat(2).
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const S_IFREG = 0o100000;
const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

// Bits of Go's os.FileMode. A character device has both of its bits.
const DIRECTORY = 2 ** 31;
const SYMLINK = 2 ** 27;
const DEVICE = 2 ** 26;
const FIFO = 2 ** 25;
const SETUID = 2 ** 23;
const SETGID = 2 ** 22;
const CHARACTER = 2 ** 21;
const STICKY = 2 ** 20;
const SOCKET = 2 ** 24;
const IRREGULAR = 2 ** 19;
const TYPE = DIRECTORY + SYMLINK + DEVICE + FIFO + SOCKET + CHARACTER + IRREGULAR;

const types = new Map([
  [0, S_IFREG],
  [DIRECTORY, S_IFDIR],
  [SYMLINK, S_IFLNK],
  [FIFO, S_IFIFO],
  [DEVICE, S_IFBLK],
  [DEVICE + CHARACTER, S_IFCHR],
]);

const special = [[SETUID, 0o4000], [SETGID, 0o2000], [STICKY, 0o1000]] as const;

/** st_mode of Go's os.FileMode. @throws {TbuildError} invalid_argument for what is no file, directory, link, device or FIFO */
export function fromGoMode(mode: number): number {
  const type = types.get((mode & TYPE) >>> 0);
  if (type === undefined) throw new TbuildError("invalid_argument", `Cannot make a file of mode 0x${mode.toString(16)}`);
  return special.reduce((all, [go, unix]) => all | ((mode & go) === 0 ? 0 : unix), type | (mode & 0o777));
}

/** Go's os.FileMode of st_mode; a socket, which cannot be sent, is taken for an empty file. */
export function toGoMode(mode: number): number {
  const [type = 0] = [...types].find(([, unix]) => unix === (mode & S_IFMT)) ?? [];
  return special.reduce((all, [go, unix]) => all + ((mode & unix) === 0 ? 0 : go), type + (mode & 0o777));
}

/** What an st_mode says that it is. */
export function kindOf(mode: number): "file" | "directory" | "symlink" | "node" {
  const type = mode & S_IFMT;
  if (type === S_IFREG) return "file";
  if (type === S_IFDIR) return "directory";
  return type === S_IFLNK ? "symlink" : "node";
}

/** The bits of an st_mode that say what it is. */
export function typeBits(mode: number): number {
  return mode & S_IFMT;
}
