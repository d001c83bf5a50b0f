/** Bytes of a WebSocket frame from a client; API Gateway closes at more (1009). */
export const MAX_CLIENT_FRAME_BYTES = 32 * 1024;
/** Bytes of all payloads of one HTTP publish together, as JSON. */
export const MAX_HTTP_PAYLOAD_BYTES = 96 * 1024;
/** Bytes of an HTTP body, measured before it is parsed: the payloads, and room for what stands around them. */
export const MAX_HTTP_BODY_BYTES = 192 * 1024;
/** Bytes of a frame to a client; API Gateway takes no larger message. */
export const MAX_SERVER_FRAME_BYTES = 128 * 1024;
/** Payloads of one publish, and messages of one `POST /messages`. */
export const MAX_BATCH = 100;
/** Messages that `last` may ask for. */
export const MAX_SUBSCRIBE_LAST = 100;
/** Messages that a page of history may be asked to hold, and how many it holds where nothing is said. */
export const MAX_PAGE_LIMIT = 1_000;
export const DEFAULT_PAGE_LIMIT = 100;
/** Subscribers of a page, and how many it holds where nothing is said: with the longest names they fit into a frame. */
export const MAX_SUBSCRIBERS_LIMIT = 100;
/** Topics that one ping may ask about. */
export const MAX_PLACES = 50;
/** Characters (code points) of a request's `id` and of other short names that a client makes up. */
export const MAX_NAME_LENGTH = 64;
/** Code points of a user's name, a token's `sub`. */
export const MAX_USER_LENGTH = 128;
/** Code points of a topic name. */
export const MAX_TOPIC_LENGTH = 200;
/** Levels of arrays and objects in what a client sends. JSON.stringify of some thousand overflows the stack. */
export const MAX_JSON_DEPTH = 100;
/** Levels in a frame to a client: what a client sent, and the frame, list and message around it. */
export const MAX_SERVER_FRAME_DEPTH = MAX_JSON_DEPTH + 3;
