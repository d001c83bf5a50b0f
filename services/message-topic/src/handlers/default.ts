export { unroutedHandler as handler } from "../request-handler.ts";
