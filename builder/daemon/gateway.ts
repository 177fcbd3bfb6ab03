import { TbuildError } from "../../cache/errors.js";
import { isDigest } from "../../cache/oci/digest.js";
import type { gatewayService } from "../api/gateway.js";
import type { WorkerRecordInput } from "../api/worker.js";
import { capabilities } from "./caps.js";
import type { DaemonBuild } from "./daemonBuild.js";
import type { Call, Handler, Handlers } from "./handlers.js";
import type { Job, Jobs } from "./jobs.js";
import { statusError } from "./solve.js";

/** How long a frontend waits for the build that it belongs to: both are started side by side. Source: BuildKit, control/gateway. */
const WAIT_MS = 3000;

const BUILD_ID = "buildkit-controlapi-buildid";

/** The build that a frontend is part of. */
export type FrontendJob = Pick<Job, "report" | "sources" | "bridge">;

/** Finds the build that a frontend in the client means, which its headers name. */
export function clientJobs(jobs: Jobs): (call: Call) => Promise<FrontendJob> {
  return (call) => jobs.find(buildId(call), { waitMs: WAIT_MS, signal: call.signal });
}

/** What a frontend asks of its build. */
export function gatewayHandlers(
  jobOf: (call: Call) => Promise<FrontendJob>,
  workers: () => readonly WorkerRecordInput[],
): Handlers<typeof gatewayService.methods> {
  const ofBuild = <Q, S>(ask: (build: DaemonBuild, request: Q) => Promise<S>) =>
    async (request: Q, call: Call): Promise<S> => {
      const job = await jobOf(call);
      return await asked(job, async () => await ask(await job.bridge.build, request));
    };
  return {
    async Ping(_request, call) {
      await jobOf(call);
      return { ...capabilities, workers: workers() };
    },
    Solve: ofBuild(async (build, request) => ({ result: await build.solve(request) })),
    ResolveImageConfig: ofBuild((build, request) => build.resolveImageConfig(request)),
    ResolveSourceMeta: ofBuild((build, request) => build.resolveSourceMeta(request)),
    ReadFile: ofBuild((build, request) => build.readFile(request)),
    ReadDir: ofBuild((build, request) => build.readDir(request)),
    StatFile: ofBuild((build, request) => build.statFile(request)),
    Evaluate: ofBuild(async (build, { ref }) => {
      await build.evaluate(ref);
      return {};
    }),
    NewContainer: ofBuild(async (build, request) => {
      await build.newContainer(request);
      return {};
    }),
    ReleaseContainer: ofBuild(async (build, { containerId }) => {
      await build.releaseContainer(containerId);
      return {};
    }),
    async *ExecProcess(messages, call) {
      const job = await jobOf(call);
      try {
        yield* (await job.bridge.build).execProcess(messages, call.signal);
      } catch (error) {
        throw statusError(error, job);
      }
    },
    ReadFileContainer: ofBuild((build, request) => build.readFileContainer(request)),
    ReadDirContainer: ofBuild((build, request) => build.readDirContainer(request)),
    StatFileContainer: ofBuild((build, request) => build.statFileContainer(request)),
    async Return(request, call) {
      (await jobOf(call)).bridge.return(request);
      return {};
    },
    Inputs: ofBuild(async ({ inputs }) => ({ definitions: inputs })),
    Warn: warn(jobOf),
  };
}

/** An error is told with the lines that the build knows of. */
async function asked<T>(job: FrontendJob, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw statusError(error, job);
  }
}

function buildId({ headers }: Call): string {
  const ref = headers[BUILD_ID];
  if (ref !== undefined && !ref.includes(",")) return ref;
  throw new TbuildError("invalid_argument", `Cannot tell which build is meant: the call has ${ref === undefined ? "no" : "several"} "${BUILD_ID}"`);
}

function warn(jobOf: (call: Call) => Promise<FrontendJob>): Handler<typeof gatewayService.methods.Warn> {
  return async ({ digest, level, short, detail, url, info, ranges }, call) => {
    const { report, sources } = await jobOf(call);
    if (info !== null) sources.set(info.filename, info);
    const [range] = ranges;
    const place = ({ line, character }: { readonly line: number; readonly character: number }) => ({ line, column: character + 1 });
    const start = range?.start ?? null;
    report({
      type: "warning",
      vertex: isDigest(digest) ? digest : null,
      warning: {
        rule: null,
        level,
        message: Buffer.from(short).toString("utf8"),
        detail: detail.map((line) => Buffer.from(line).toString("utf8")).join("\n"),
        url: url === "" ? null : url,
        at: info === null || start === null ? null : { file: info.filename, start: place(start), end: place(range?.end ?? start) },
      },
    });
    return {};
  };
}
