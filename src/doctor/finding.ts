/** What the doctor found out about one part. */
export interface Finding {
  readonly part: string;
  /** `fix`: the server cannot work like this. `note`: worth knowing. `skipped`: not checked. */
  readonly state: 'ok' | 'note' | 'fix' | 'skipped';
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
}
