/** A question that can be asked of a file, in the form of BuildKit's `frontend.subrequests.describe`. */
export interface SubrequestInfo {
  readonly name: string;
  readonly version: string;
  readonly type: "rpc";
  readonly description: string;
  readonly opts: readonly { readonly name: string; readonly description?: string }[];
  readonly metadata: readonly { readonly name: string }[];
}

const RESULTS = [{ name: "result.json" }, { name: "result.txt" }];

/** The questions that this frontend answers. */
export const subrequests: readonly SubrequestInfo[] = [
  {
    ...info("frontend.outline", "List all parameters current build target supports"),
    opts: [{ name: "target", description: "Target build stage" }],
  },
  info("frontend.targets", "List all targets current build supports"),
  { ...info("frontend.lint", "Lint a Dockerfile"), metadata: [...RESULTS, { name: "result.statuscode" }] },
  info("frontend.subrequests.describe", "List available subrequest types"),
];

function info(name: string, description: string): SubrequestInfo {
  return { name, version: "1.0.0", type: "rpc", description, opts: [], metadata: RESULTS };
}
