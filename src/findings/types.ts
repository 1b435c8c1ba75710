// What a finding is: a problem of the data with a stable code, never an exception.

export type Severity = 'error' | 'warning' | 'info';

/** One entry of the table that `isthmus explain` and docs/findings.md are made from. */
export interface FindingKind {
  /** `ISM010`; never reused once released. */
  readonly code: string;
  readonly severity: Severity;
  /** One line, a fact: "Pod CIDRs of two clusters overlap". */
  readonly title: string;
  /** Why it matters, for someone who meets it the first time. */
  readonly why: string;
  /** What to do about it. */
  readonly mend: string;
}

/** A finding about one mesh. The text names the values that were seen; code and severity come from the table. */
export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  /** The cluster it is about; absent when it is about the mesh. */
  readonly cluster?: string;
  /** The object, file position or address range it is about, where there is one. */
  readonly where?: string;
  readonly message: string;
  readonly hint?: string;
  /** True when mesh.yaml names the code in `ignore`: it is shown, and blocks nothing. */
  readonly ignored?: boolean;
}

/** What the facts stage reports: a finding without its severity, which the table knows. */
export type Problem = Omit<Finding, 'severity' | 'cluster' | 'ignored'>;
