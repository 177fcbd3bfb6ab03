import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { hostPlatform, type Platform, samePlatform } from "../../cache/oci/platform.js";

const BINFMT_DIR = "/proc/sys/fs/binfmt_misc";

/** By class, byte order and machine of an ELF header, as a handler's magic spells them. Source: elf(5). */
const platforms: Readonly<Record<string, readonly string[]>> = {
  "02 01 b700": ["arm64"],
  "01 01 2800": ["arm/v7", "arm/v6"],
  "01 01 0300": ["386"],
  "02 01 3e00": ["amd64"],
  "02 01 f300": ["riscv64"],
  "02 01 1500": ["ppc64le"],
  "02 02 0016": ["s390x"],
  "02 01 0800": ["mips64le"],
  "02 02 0008": ["mips64"],
  "02 01 0201": ["loong64"],
};

/** Platforms whose programs run here: this machine's own first, then those that a binfmt handler runs in any root. */
export function runnablePlatforms(dir = BINFMT_DIR): readonly Platform[] {
  const host = hostPlatform();
  const emulated = handlers(dir).flatMap(platformsOf).filter((platform) => !samePlatform(platform, host));
  return [host, ...emulated];
}

function handlers(dir: string): readonly string[] {
  try {
    const names = readdirSync(dir).filter((name) => name !== "register" && name !== "status").sort();
    return names.map((name) => readFileSync(path.join(dir, name), "utf8"));
  } catch {
    // Not mounted.
    return [];
  }
}

/** Only with flag F does the kernel keep the interpreter open, so that it is found from within a step. */
function platformsOf(handler: string): readonly Platform[] {
  const field = (pattern: RegExp) => pattern.exec(handler)?.[1] ?? "";
  if (!handler.startsWith("enabled") || !field(/^flags: (\S*)/m).includes("F")) return [];
  const magic = field(/^magic ([0-9a-f]+)/m);
  if (!magic.startsWith("7f454c46")) return [];
  const names = platforms[`${magic.slice(8, 10)} ${magic.slice(10, 12)} ${magic.slice(36, 40)}`] ?? [];
  return names.map((name) => {
    const [architecture = "", variant] = name.split("/");
    return { os: "linux", architecture, ...(variant === undefined ? {} : { variant }) };
  });
}
