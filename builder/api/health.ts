import { service, unary } from "./service.js";
import { checkHealth } from "./session.js";

/** `ServingStatus` of a service that answers. */
export const SERVING = 1;

/** `grpc.health.v1.Health` without its Watch. Source: gRPC health checking protocol. */
export const healthService = service("grpc.health.v1.Health", { Check: unary(checkHealth.request, checkHealth.response) });
