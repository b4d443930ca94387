/** What the doctor has to say of one part. */
export interface Finding {
  readonly part: string;
  /** `mend`: it keeps the server from its work. `note`: worth knowing. `skipped`: it was not looked at. */
  readonly state: 'ok' | 'note' | 'fix' | 'skipped';
  readonly found: string;
  readonly advice?: string | undefined;
}
