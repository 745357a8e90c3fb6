import { PICTURES, SHOTS, type Shot, shotsOf } from './pictures.ts';
import { consoleModule } from './static.ts';

interface Route {
  readonly path: string;
  readonly text: string;
  readonly key?: string;
  readonly hidden?: boolean;
}

/** What one does on the pages of the menu, by their addresses. */
const DOES: Readonly<Record<string, string>> = {
  '': 'see whether all is well, and where to look if not',
  stores:
    'see depths, rates and ages; browse, search, compare, resend, move, delete, purge, export and import messages',
  processors: 'see states and reasons; activate, deactivate, pause, deliver one; change the log level',
  traces: 'follow single messages step by step, with what each step changed; switch tracing',
  send: 'send a test message into a proxy, an API, a sequence or a store, and follow it',
  graph: 'see what leads where, with live counts; click for the source; take it along as SVG or Mermaid',
  endpoints: 'see which answer and how long suspended ones are left alone; switch them on and off',
  artifacts: 'see problems with the lines they are in, all artifacts, deployments; compare versions and roll back',
  schedules: 'see next runs of tasks and processors; run a task now, switch it off',
  health: 'see what load balancers are told, and the reasons',
  logs: 'follow the log; change levels of loggers and of single artifacts',
  alerts: 'see the web hooks, what came of their calls; send a test',
  jobs: 'see work on many messages and planned resends; cancel them',
  audit: 'see who has done what, from where, and how it ended',
  users: 'make users, change roles and passwords, end sessions, revoke tokens',
  configuration: 'see the settings in effect and where each comes from',
};

const HEADS: Readonly<Record<Shot, string>> = {
  'desktop-light': 'light',
  'desktop-dark': 'dark',
  'phone-light': 'light, on a phone',
  'phone-dark': 'dark, on a phone',
};

/** `docs/console/README.md`: the pages of the menu, and the pictures. */
export async function pagesTable(): Promise<string> {
  const { ROUTES } = await consoleModule<{ ROUTES: readonly Route[] }>('routes.js');
  const rows = ROUTES.filter(({ hidden }) => !hidden).map(
    ({ path, text, key }) => `| ${text} | \`#/${path}\` | \`g ${key}\` | ${does(path)} |`,
  );
  const pictures = [...PICTURES.slice(-1), ...PICTURES.slice(0, -1)].map((picture) => {
    const shots = SHOTS.filter((shot) => shotsOf(picture).includes(shot));
    const cells = shots.map((shot) => `![${picture.title}, ${HEADS[shot]}](${picture.name}-${shot}.png)`);
    const heads = shots.map((shot) => HEADS[shot]);
    return [
      `### ${picture.title}`,
      '',
      picture.text,
      '',
      `| ${heads.join(' | ')} |`,
      `|${heads.map(() => '---|').join('')}`,
      `| ${cells.join(' | ')} |`,
      '',
    ].join('\n');
  });
  return [
    '# The console',
    '',
    'At `/console/` of the management port, from the package itself: nothing is loaded from elsewhere. `?` shows all keys, `Ctrl K` jumps to any name.',
    '',
    '| page | address | keys | what one does there |',
    '|---|---|---|---|',
    ...rows,
    '',
    'This page and its pictures are written by `node test/console/screenshots.ts`.',
    '',
    ...pictures,
  ].join('\n');
}

function does(path: string): string {
  const text = DOES[path];
  if (text === undefined) throw new Error(`What does one do at #/${path}? Say so in test/console/pages-table.ts`);
  return text;
}
