import { SERVING } from "../../api/health.js";
import { checkHealth } from "../../api/session.js";
import { answers, type Offers } from "./serveSession.js";

/** Tells the builder that this process is still there. */
export const healthOffers: Offers = answers(checkHealth, () => ({ status: SERVING }));
