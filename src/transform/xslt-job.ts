export interface XsltJob {
  readonly stylesheet: string;
  /** Documents that the stylesheet may import, include or read, by the location that it writes. */
  readonly resources: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
  readonly source: string;
  /** Compiled stylesheets are kept. */
  readonly cache: boolean;
}

export interface XsltResult {
  readonly text: string;
  /** `xsl:output method="text"`: it is no XML. */
  readonly isText: boolean;
  /** What `xsl:message` said. */
  readonly messages: readonly string[];
}

/** How a failure of the stylesheet itself, and not of its running, begins. */
export const NOT_COMPILED = 'Error compiling the XSLT';
