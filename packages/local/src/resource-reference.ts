import * as v from "valibot";

/** `!Ref Table` or `!GetAtt Queue.Arn`. */
export interface ResourceReference {
  readonly logicalId: string;
  /** Absent in a `!Ref`. */
  readonly attribute?: string;
}

const referenceSchema = v.union([
  v.pipe(
    v.object({ Ref: v.string() }),
    v.transform(({ Ref }): ResourceReference => ({ logicalId: Ref })),
  ),
  v.pipe(
    v.object({ "Fn::GetAtt": v.union([v.string(), v.array(v.string())]) }),
    v.transform(({ "Fn::GetAtt": path }): ResourceReference => {
      const [logicalId = "", ...attribute] = typeof path === "string" ? path.split(".") : path;
      return { logicalId, attribute: attribute.join(".") };
    }),
  ),
]);

/** `undefined` where a value is no reference to a resource. */
export function parseReference(value: unknown): ResourceReference | undefined {
  const parsed = v.safeParse(referenceSchema, value);
  return parsed.success ? parsed.output : undefined;
}
