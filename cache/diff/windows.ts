import { NO_XATTRS, type TarEntry } from "./header.js";

/** Keywords of PAX records that only layers for Windows have. Source: github.com/Microsoft/go-winio, backuptar */
export const WINDOWS_PREFIX = "MSWINDOWS.";

const FILES = "Files/";
const DIRECTORY_BIT = 0o40000;
const FILE_BIT = 0o100000;

// O:BAG:SYD:(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;;FA;;;BA)(A;OICIIO;GA;;;CO)(A;OICI;0x1200a9;;;BU)(A;CI;LC;;;BU)(A;CI;DC;;;BU)
const DIRECTORY_SECURITY =
  "AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgCoAAcAAAAAAxgA/wEfAAECAAAAAAAFIAAAACACAAAAAxQA/wEfAAEBAAAAAAAFEgAAAAAA" +
  "GAD/AR8AAQIAAAAAAAUgAAAAIAIAAAALFAAAAAAQAQEAAAAAAAMAAAAAAAMYAKkAEgABAgAAAAAABSAAAAAhAgAAAAIYAAQAAAABAgAAAAAABSAAAAAhAgAAAAIYAAIAAAABAgAA" +
  "AAAABSAAAAAhAgAA";
// O:BAG:SYD:(A;;FA;;;BA)(A;;FA;;;SY)(A;;0x1200a9;;;BU)
const FILE_SECURITY =
  "AQAEgBQAAAAkAAAAAAAAADAAAAABAgAAAAAABSAAAAAgAgAAAQEAAAAAAAUSAAAAAgBMAAMAAAAAABgA/wEfAAECAAAAAAAFIAAAACACAAAAABQA/wEfAAEBAAAAAAAFEgAAAAAA" +
  "GACpABIAAQIAAAAAAAUgAAAAIQIAAA==";

/** What a layer for Windows begins with: its files, and its part of the registry, which is empty. */
export const windowsRoots: readonly TarEntry[] = ["Hives", "Files"].map((name) => ({
  type: "dir", name, linkName: "", mode: DIRECTORY_BIT, uid: 0, gid: 0, mtimeNs: 0n, size: 0, devMajor: 0, devMinor: 0, xattrs: NO_XATTRS,
  records: attributesOf("dir", 0n),
}));

/** An entry as a layer for Windows has it: below "Files", open to administrators, and to others for reading. Source: BuildKit, util/winlayers */
export function toWindows(entry: TarEntry): TarEntry {
  const { type, name, linkName, mode, mtimeNs } = entry;
  const security = type === "dir" ? DIRECTORY_SECURITY : type === "file" ? FILE_SECURITY : null;
  return {
    ...entry,
    name: FILES + name,
    linkName: linkName === "" ? "" : FILES + linkName,
    mode: mode | (type === "dir" ? DIRECTORY_BIT : type === "file" ? FILE_BIT : 0),
    records: new Map([...attributesOf(type, mtimeNs), ...(security === null ? [] : [[`${WINDOWS_PREFIX}rawsd`, security] as const])]),
  };
}

/** The entry that stands for this one where it is unpacked; null for what is no file, such as the registry. */
export function fromWindows(entry: TarEntry): TarEntry | null {
  const { name, linkName } = entry;
  if (!name.startsWith(FILES)) return null;
  return { ...entry, name: name.slice(FILES.length), linkName: linkName.startsWith(FILES) ? linkName.slice(FILES.length) : linkName };
}

function attributesOf(type: TarEntry["type"], mtimeNs: bigint): ReadonlyMap<string, string> {
  const attributes = type === "dir" ? "16" : type === "file" ? "32" : null;
  const created = `${mtimeNs / 1_000_000_000n}.${mtimeNs % 1_000_000_000n}`;
  return new Map([["LIBARCHIVE.creationtime", created], ...(attributes === null ? [] : [[`${WINDOWS_PREFIX}fileattr`, attributes] as const])]);
}
