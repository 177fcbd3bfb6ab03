import { closeSync } from "node:fs";
import { Socket } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { socketPair } from "../../../cache/sys/pipe.js";
import { gatewayService } from "../../api/gateway.js";
import { healthService, SERVING } from "../../api/health.js";
import type { WorkerRecordInput } from "../../api/worker.js";
import { type FrontendJob, gatewayHandlers } from "../gateway.js";
import { addService } from "../handlers.js";
import { createServer } from "../server.js";

/** Answers one frontend. Disposing hangs up. */
export interface FrontendServer extends Disposable {
  /** Descriptor of the frontend's end, for its standard input and output. Closed when the server is disposed, or before. */
  readonly socket: number;
  /** The frontend has its end: ours of it is closed, so that its end is heard of. */
  handedOver(): void;
}

/**
 * Serves one frontend of a build over a connection of its own; `onClosed` is told when the frontend hangs up, or says what is no
 * HTTP/2. A real socket, not a stream over pipes: Node's HTTP/2 over such a stream fails an assertion when it is closed while it
 * writes.
 */
export function serveFrontend(job: FrontendJob, workers: readonly WorkerRecordInput[], onClosed: () => void): FrontendServer {
  const server = createServer();
  const ignore = () => {}; // The frontend hears of it, and then it is the frontend's.
  addService(server, gatewayService, gatewayHandlers(async () => job, () => workers), ignore);
  addService(server, healthService, { Check: () => ({ status: SERVING }) }, ignore);
  const [own, socket] = socketPair();
  let isOpen = true;
  const handedOver = () => {
    if (isOpen) closeSync(socket);
    isOpen = false;
  };
  const connection = new Socket({ fd: own, readable: true, writable: true }).on("error", () => connection.destroy()).on("close", onClosed);
  server.createConnectionInjector(grpc.ServerCredentials.createInsecure()).injectConnection(connection);
  return {
    socket,
    handedOver,
    [Symbol.dispose]() {
      handedOver();
      connection.destroy();
      server.forceShutdown();
    },
  };
}
