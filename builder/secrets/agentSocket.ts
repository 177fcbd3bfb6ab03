import { chmodSync, chownSync, rmSync } from "node:fs";
import net, { type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { AgentSocket, SocketFile } from "./agents.js";

/** Serves one connection of a step, and ends it after the step has: one may hear on when it has said all. */
export type Serve = (connection: Duplex) => void;

/** A socket for a step; disposing ends its connections and removes it. */
export async function openAgentSocket({ path, uid, gid, mode }: SocketFile, serve: Serve): Promise<AgentSocket> {
  const open = new Set<Socket>();
  const server: Server = net.createServer({ allowHalfOpen: true }, (connection) => {
    open.add(connection);
    connection.on("close", () => open.delete(connection));
    connection.on("error", () => connection.destroy());
    serve(connection);
  });
  await new Promise<void>((done, failed) => server.once("error", failed).listen(path, done));
  chownSync(path, uid, gid);
  chmodSync(path, mode);
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const connection of open) connection.destroy();
      await new Promise((done) => server.close(done));
      rmSync(path, { force: true });
    },
  };
}
