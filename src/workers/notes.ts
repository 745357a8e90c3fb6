import type { LogRecord } from '../logging/index.ts';
import type { CountRow } from './count-report.ts';
import type { Switches } from './switches.ts';

/** What a taker tells the owner beside its puts. */
export type TakerNote =
  | { readonly type: 'counts'; readonly rows: readonly CountRow[] }
  | { readonly type: 'log'; readonly record: LogRecord }
  /** It has written something into the registry's folder. */
  | { readonly type: 'registry' };

/** What the owner tells the takers beside the fate of their puts. */
export type OwnerNote =
  | { readonly type: 'switches'; readonly switches: Switches }
  /** Another configuration is served: look into the folder. */
  | { readonly type: 'deployed' }
  /** Something else stands in the registry's folder. */
  | { readonly type: 'registry' };
