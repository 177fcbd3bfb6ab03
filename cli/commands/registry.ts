import type { Builder } from "../../builder/builder.js";
import type { NamedDigest } from "../../builder/registryTasks.js";
import type { Task } from "../../builder/request.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import type { ImageArgs } from "../args/image.js";
import { progressMode, showProgress } from "../progress/mode.js";
import type { Terminal } from "../terminal.js";

type RegistryArgs = ImageArgs & ({ readonly verb: "push" } | { readonly verb: "pull" });

/**
 * `tbuild image push|pull`: shows progress on stderr and returns each name with its digest, for stdout.
 * @throws {TbuildError} invalid_reference, not_found, unauthorized, unavailable
 */
export async function registryCommand(builder: Builder, args: RegistryArgs, terminal: Terminal, signal: AbortSignal): Promise<string> {
  const task = startTask(builder, args, signal);
  await showProgress(task.progress, progressMode(args.progress, terminal), terminal, signal);
  const done = await task.result;
  return [done].flat().map(({ name, digest }) => `${name.split("@", 1)[0]}@${digest}\n`).join("");
}

function startTask(builder: Builder, args: RegistryArgs, signal: AbortSignal): Task<NamedDigest | readonly NamedDigest[]> {
  if (args.verb === "push") return builder.push({ names: args.names, insecure: args.insecure }, { signal });
  return builder.pull({ name: args.name, platforms: args.platform.map((platform) => parsePlatform(platform)) }, { signal });
}
