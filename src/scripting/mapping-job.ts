export type MappingFormat = 'XML' | 'JSON' | 'CSV';

export interface MappingJob {
  /** The generated JavaScript. */
  readonly mapping: string;
  readonly inputSchema: string;
  readonly outputSchema: string;
  readonly inputType: MappingFormat;
  readonly outputType: MappingFormat;
  readonly input: string;
  /** `DM_PROPERTIES`: values by scope and name. */
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly limitMs: number;
}

export interface MappingResult {
  readonly text: string;
}
