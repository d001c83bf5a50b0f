/** The account that everything here is in. */
export const ACCOUNT_ID = "000000000000";

export const DEFAULT_REGION = "us-east-1";

/** An ARN of this account; `resource` as the service spells it. */
export function arnOf(service: string, region: string, resource: string): string {
  return `arn:aws:${service}:${region}:${ACCOUNT_ID}:${resource}`;
}
