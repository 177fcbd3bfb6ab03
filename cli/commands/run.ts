import type { Builder } from "../../builder/builder.js";
import { isAbsent } from "../../builder/image/absent.js";
import type { RunRequest, Task } from "../../builder/request.js";
import { findImage } from "../../builder/runImage.js";
import { hasCode, TbuildError } from "../../cache/errors.js";
import type { ImageManifestRecord } from "../../cache/meta/records.js";
import { formatPlatform, hostPlatform, type Platform, platformScore } from "../../cache/oci/platform.js";
import type { RunArgs } from "../args/run.js";
import { parseAddHost } from "../flags/addHost.js";
import { readEnvFile, variables } from "../flags/envFile.js";
import { parseMount, parseVolume } from "../flags/mount.js";
import { parsePlatforms } from "../flags/platform.js";
import type { Interrupt } from "../interrupt.js";
import { progressMode, showProgress } from "../progress/mode.js";
import type { Terminal } from "../terminal.js";
import { usage } from "../usage.js";

/**
 * `tbuild run`: brings the image here when it is missing, runs the process with this one's output, and returns its exit status.
 * @throws {TbuildError} usage, not_found, invalid_argument, unauthorized, unavailable, process_failed, cancelled
 */
export async function runCommand(builder: Builder, args: RunArgs, terminal: Terminal, interrupt: Interrupt): Promise<number> {
  if (args.tty && !process.stdin.isTTY) throw usage("Cannot give the process a terminal: standard input is none", "Leave -t away; -i alone passes input on");
  const request = runRequest(args);
  const image = await imageFor(builder, args, request.platform, terminal, interrupt.signal);
  if (image !== null && platformScore(hostPlatform(), image.platform) === 0) warn(terminal, args, image.platform);
  const passing: { on: Disposable | null } = { on: null };
  try {
    const { exitCode } = await builder.run(request, {
      signal: interrupt.signal,
      stdin: args.interactive ? "inherit" : "none",
      output: "inherit",
      onOutput: () => {},
      onStart: (pass) => void (passing.on = interrupt.passOn(pass)),
    });
    return exitCode;
  } catch (error) {
    throw hasCode(error, "cancelled") ? new TbuildError("cancelled", `Run of "${args.image}" cancelled`, { cause: error }) : error;
  } finally {
    passing.on?.[Symbol.dispose]();
  }
}

function runRequest(args: RunArgs): RunRequest {
  const { workdir, entrypoint } = args;
  if (workdir !== undefined && !workdir.startsWith("/")) throw usage(`Cannot use --workdir "${workdir}": it is no absolute path`, "Write --workdir /PATH");
  return {
    image: args.image,
    platform: parsePlatforms(args.platform === undefined ? [] : [args.platform])[0],
    command: args.words,
    entrypoint: entrypoint === undefined ? undefined : entrypoint === "" ? [] : [entrypoint],
    env: variables([...args.envFile.flatMap(readEnvFile), ...args.env]),
    workingDir: workdir,
    user: args.user,
    network: args.network,
    extraHosts: args.addHost.map(parseAddHost),
    readonlyRootfs: args.readOnly,
    mounts: [...args.volume.map(parseVolume), ...args.mount.map(parseMount)],
    terminal: args.tty,
  };
}

/** The image, all of whose files are here; null when it is not to be had without a registry that may not be asked. */
async function imageFor(
  builder: Builder,
  args: RunArgs,
  platform: Platform | undefined,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<ImageManifestRecord | null> {
  const { images } = builder.store;
  const show = async ({ progress, result }: Task<unknown>) => {
    await showProgress(progress, progressMode(args.progress, terminal), terminal, signal);
    await result;
  };
  let image = args.pull === "always" ? null : findImage(images, args.image, platform);
  if (image === null && args.pull !== "never") {
    await show(builder.pull({ name: args.image, platforms: platform === undefined ? [] : [platform] }, { signal }));
    image = findImage(images, args.image, platform);
  }
  if (image !== null && (await isAbsent(builder.store, image))) await show(builder.bring(image, { signal }));
  return image;
}

function warn(terminal: Terminal, { platform }: RunArgs, own: Platform): void {
  if (platform !== undefined) return;
  terminal.stderr.write(`WARNING: The image is for ${formatPlatform(own)}, and this machine is ${formatPlatform(hostPlatform())}\n`);
}
