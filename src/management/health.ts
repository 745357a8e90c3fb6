/** Where the server is in its life. */
export interface Health {
  readonly version: string;
  /** The first deployment is done and every listener is open; false again when the server stops. */
  ready: boolean;
}
