/** The ssh agents of one build. */
export interface SshAgents {
  /** True when the build was given an agent by this id. */
  has(id: string): boolean;
  /**
   * A socket for one step, connected to the agent of `id`; null when the build was given none. The caller disposes it
   * with the step.
   */
  open(id: string, socket: SocketFile): Promise<AgentSocket | null>;
}

/** Where a step's socket is made, and whose it is. */
export interface SocketFile {
  /** Absolute path in the builder's scratch directory. */
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
}

/** See {@link SshAgents.open}. */
export interface AgentSocket extends AsyncDisposable {
  readonly path: string;
}
