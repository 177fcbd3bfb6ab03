import { int, text } from "../../solver/llb/message.js";
import { serverStream, service, unary } from "./service.js";
import { schema } from "./schema.js";

const request = schema({ service: text(1) });
const response = schema({ status: int(1) });

/** `ServingStatus` of a service that answers. */
export const SERVING = 1;

/** `grpc.health.v1.Health`. Source: gRPC health checking protocol. */
export const healthService = service("grpc.health.v1.Health", {
  Check: unary(request, response),
  Watch: serverStream(request, response),
});
