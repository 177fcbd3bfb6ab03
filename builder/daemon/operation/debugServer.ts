import { createServer } from "node:http";
import type { ListenAddress } from "../address.js";
import { type Listener, listen } from "../listener.js";

/** Answers `GET /metrics` on an address of its own. @throws {TbuildError} unavailable, permission_denied when it cannot listen */
export async function serveDebug(address: ListenAddress, metrics: () => string): Promise<Listener> {
  const server = createServer((request, response) => {
    const path = request.url?.replace(/\?.*$/, "");
    if (path !== "/metrics" || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(path === "/metrics" ? 405 : 404).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(metrics());
  });
  const listener = await listen(address, { uid: null, gid: null }, (socket) => {
    // A client that is slow must not keep the daemon from ending.
    socket.unref();
    server.emit("connection", socket);
  });
  return {
    address: listener.address,
    close() {
      listener.close();
      server.closeAllConnections();
    },
  };
}
