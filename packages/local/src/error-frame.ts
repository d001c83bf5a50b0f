/** An error as API Gateway words it, in a frame or as the body of a refused handshake; the spacing is its own. */
export function errorFrame(message: string, connectionId: string, requestId: string): string {
  return `{"message": "${message}", "connectionId":"${connectionId}", "requestId":"${requestId}"}`;
}
