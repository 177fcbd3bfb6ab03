import type { Builder } from "../../builder/builder.js";
import type { ImageArgs } from "../args/image.js";
import type { Terminal } from "../terminal.js";
import { imageHistory } from "./history.js";
import { inspectImages } from "./imageInspect.js";
import { listImages } from "./imageList.js";
import { removeImages, type RemoveMode } from "./imageRemove.js";

/** Runs `tbuild image VERB` and returns what is to be printed. @throws {TbuildError} not_found, invalid_reference, corrupt */
export async function imageCommand(builder: Builder, args: ImageArgs, terminal: Terminal, signal: AbortSignal): Promise<string> {
  switch (args.verb) {
    case "ls":
      return await listImages(builder, args);
    case "inspect":
      if (args.at === "registry") return await (await import("./imageRemote.js")).inspectRemote(builder, args, { signal });
      return await inspectImages(builder, args, { signal });
    case "history":
      return await imageHistory(builder, args);
    case "rm":
      return await removeImages(builder, args.names, args.force ? forced(terminal) : { kind: "strict" });
    case "prune":
      return await (await import("./imagePrune.js")).pruneImages(builder, args, terminal, signal);
    case "tag":
      await builder.store.images.tag(args.source, args.target);
      return "";
    case "create":
      return await (await import("./imageCreate.js")).createImageCommand(builder, args, terminal, signal);
    case "push":
    case "pull":
      return await (await import("./registry.js")).registryCommand(builder, args, terminal, signal);
    default:
      return await (await import("./archives.js")).archiveCommand(builder, args, { signal });
  }
}

function forced(terminal: Terminal): RemoveMode {
  return { kind: "force", missing: ({ message }) => void terminal.stderr.write(`${message}\n`) };
}
