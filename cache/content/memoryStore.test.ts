import { memoryContentStore } from "./memoryStore.js";
import { contentStoreSuite } from "./storeSuite.js";

contentStoreSuite("memoryContentStore()", (body) => body(memoryContentStore()));
