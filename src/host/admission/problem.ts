/** One reason why an object is refused. */
export interface AdmissionProblem {
  /**
   * Who says so: the YAML parser, decoding (unknown field, wrong type), the API server's object rules, Knative's validation, or the
   * dialect.
   */
  readonly source: 'yaml' | 'decode' | 'name' | 'validation' | 'dialect';
  /** Field path in the object; '' for the object itself. */
  readonly path: string;
  readonly message: string;
  /** Second part of the message, such as the rule that is broken; '' or left out when there is none. */
  readonly details?: string;
  /** What was meant most likely. */
  readonly suggestion?: string;
}
