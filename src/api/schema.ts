/** Structural description of a value: gives the TypeScript type `T`, strict decoding, CRD and editor schemas. */
export interface Schema<T = unknown> {
  /** Never set: carries the described type. */
  readonly type?: T;
  /** JSON Schema (the subset of Kubernetes' structural schemas). */
  readonly json: Readonly<Record<string, unknown>>;
}
