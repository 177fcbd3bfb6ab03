import type { Builder } from "../../builder/builder.js";
import type { VerifyArgs } from "../args/verify.js";
import { createPaint } from "../paint.js";
import { progressMode, showProgress } from "../progress/mode.js";
import { buildRequest } from "../request.js";
import { print, type Terminal } from "../terminal.js";
import { verifyText } from "../verifyText.js";

/** Runs `tbuild verify`, prints what differs and returns the exit status: 1 when something does. @throws {TbuildError} */
export async function verifyCommand(builder: Builder, args: VerifyArgs, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const { image, place, cache, provenance, maxDifferences, ignoreTimes, format } = args;
  const request = { image, place, cache, provenance, maxDifferences, ignoreTimes, build: buildRequest(args.build, "store") };
  const verifying = builder.verify(request, { signal });
  const mode = progressMode(args.progress, terminal);
  await showProgress(verifying.progress, mode, terminal, signal);
  const report = await verifying.result;
  if (mode === "tty" || mode === "plain") terminal.stderr.write("\n");
  // Progress is on standard error: colours are for a standard output that is a terminal as well.
  const paint = createPaint(terminal.colours && process.stdout.isTTY);
  await print(terminal.stdout, format === "json" ? `${JSON.stringify(report, null, 2)}\n` : verifyText(report, args.build.context, paint));
  return report.same ? 0 : 1;
}
