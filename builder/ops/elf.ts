/** GOARCH by e_machine. Source: elf.h. */
const MACHINES: ReadonlyMap<number, string> = new Map([
  [3, "386"],
  [8, "mips"],
  [21, "ppc64le"],
  [22, "s390x"],
  [40, "arm"],
  [62, "amd64"],
  [183, "arm64"],
  [243, "riscv64"],
  [258, "loong64"],
]);

const MACHINE_OFFSET = 18;
const BIG_ENDIAN = 2;

/** Architecture that a program is built for, by its first bytes; null when it is no ELF file. */
export function elfArchitecture(start: Buffer): string | null {
  if (start.length < MACHINE_OFFSET + 2 || start.toString("latin1", 0, 4) !== "\u007fELF") return null;
  const machine = start[5] === BIG_ENDIAN ? start.readUInt16BE(MACHINE_OFFSET) : start.readUInt16LE(MACHINE_OFFSET);
  return MACHINES.get(machine) ?? `machine ${machine}`;
}
