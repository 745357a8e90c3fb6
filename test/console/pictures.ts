import type { Page } from 'playwright-core';
import { comparePlace, messagePlace, rejected, tracesOf } from './pages.ts';
import type { ConsoleWorld } from './world.ts';

/** Of what the documentation shows pictures. */
export interface Picture {
  /** The files are `NAME-desktop-light.png`, …. */
  readonly name: string;
  readonly title: string;
  /** What one sees there, a sentence. */
  readonly text: string;
  /** At both widths in both themes; otherwise light at a desk, dark on a phone. */
  readonly everywhere?: boolean;
  /** In the world with users instead of the one with messages. */
  readonly withUsers?: boolean;
  place(world: ConsoleWorld): string | Promise<string>;
  /** Before the picture is taken. */
  act?(page: Page, world: ConsoleWorld): Promise<void>;
}

export const SHOTS = ['desktop-light', 'desktop-dark', 'phone-light', 'phone-dark'] as const;
export type Shot = (typeof SHOTS)[number];

/** Which pictures there are of something. */
export function shotsOf({ everywhere = false }: Picture): readonly Shot[] {
  return everywhere ? SHOTS : ['desktop-light', 'phone-dark'];
}

export const PICTURES: readonly Picture[] = [
  {
    name: 'stores',
    title: 'Stores',
    text: 'How many messages wait, for how long, what comes and goes, and who takes them.',
    everywhere: true,
    place: () => '#/stores',
  },
  {
    name: 'store',
    title: 'One store',
    text: 'Its depth and rates of the last hour.',
    place: () => '#/stores/Orders',
  },
  {
    name: 'messages',
    title: 'The messages of a store',
    text: 'Looked at without taking them; searched, and sent again, moved, deleted, exported, one or many.',
    place: () => '#/stores/RejectedOrders/messages',
  },
  {
    name: 'failures',
    title: 'Failures by cause',
    text: 'What failed in the same way, together; a whole group is sent again at once.',
    place: () => '#/stores/RejectedOrders/failures',
  },
  {
    name: 'message',
    title: 'A message',
    text: 'Why it was not delivered, its body (pretty, as it is, in hex), headers and properties; resend, move, delete.',
    everywhere: true,
    place: async (world) => messagePlace((await rejected(world))[0] ?? ''),
  },
  {
    name: 'compare',
    title: 'Two messages side by side',
    text: 'What differs in their facts, headers, properties and bodies.',
    place: async (world) => {
      const [left = '', right = ''] = await rejected(world);
      return comparePlace(left, right);
    },
    act: (page) => page.getByRole('checkbox', { name: 'Only differences' }).check(),
  },
  {
    name: 'import',
    title: 'Import',
    text: 'An exported file goes into a store; what the store has already can be left out, and it can be checked before.',
    place: () => '#/stores/Archive/messages',
    async act(page, world) {
      const exported = await fetch(world.runtime.management('/management/message-stores/RejectedOrders/export'));
      const buffer = Buffer.from(`${(await exported.text()).trim()}\n{"version": 1, "id": "cut off`);
      await page.getByRole('button', { name: 'Import' }).click();
      await page.getByLabel('File').setInputFiles({ name: 'RejectedOrders.ndjson', mimeType: '', buffer });
      await page.getByRole('button', { name: 'Check only' }).click();
      await page.getByRole('dialog').getByRole('alert').waitFor();
    },
  },
  {
    name: 'processors',
    title: 'Processors',
    text: 'Each with its state, the reason of it, what it does next, and how it fares.',
    everywhere: true,
    place: () => '#/processors',
  },
  {
    name: 'processor',
    title: 'One processor',
    text: 'Why it stands still, what it has done, and what can be done about it.',
    place: () => '#/processors/PartnerForwarder',
  },
  {
    name: 'send',
    title: 'Send a message',
    text: 'A test message into a proxy, an API, a sequence or a store, with samples.',
    place: () => '#/send',
  },
  {
    name: 'graph',
    title: 'The mediation graph',
    text: 'What is deployed and where messages go, with live counts.',
    everywhere: true,
    place: () => '#/graph',
  },
  {
    name: 'graph-source',
    title: 'A node of the graph',
    text: 'What is chosen is lit, with its state and the lines it is written in.',
    place: () => '#/graph?node=store:Orders',
  },
  {
    name: 'endpoints',
    title: 'Endpoints',
    text: 'Which answer, which are left alone and until when.',
    place: () => '#/endpoints',
  },
  {
    name: 'traces',
    title: 'Traces',
    text: 'The messages that were followed, the newest first.',
    place: () => '#/traces',
  },
  {
    name: 'trace',
    title: 'A trace',
    text: 'One message through mediators, the store and the attempts to deliver it, with what each step changed.',
    everywhere: true,
    place: async (world) => `#/traces/${(await tracesOf(world, 'LargeOrders')).at(-1) ?? ''}`,
  },
  {
    name: 'problem',
    title: 'What is wrong with an artifact',
    text: 'The lines around the error, and the name that was probably meant.',
    place: () => '#/artifacts',
  },
  {
    name: 'artifacts',
    title: 'All artifacts',
    text: 'Where each is written, its state and revision; searched by the server, page by page.',
    place: () => '#/artifacts/all',
  },
  {
    name: 'source',
    title: 'The source of an artifact',
    text: 'As it is deployed, with secrets masked.',
    place: () => '#/source?file=OrderProxy.xml&line=8',
  },
  {
    name: 'deployments',
    title: 'Deployments',
    text: 'What was deployed when, and what was wrong with it.',
    place: () => '#/artifacts/deployments',
  },
  {
    name: 'changes',
    title: 'What changed in an artifact',
    text: 'Every version that was deployed, the difference of two of them, and the way back.',
    place: () => '#/artifacts/history?file=Enrich.xml',
  },
  {
    name: 'jobs',
    title: 'Jobs',
    text: 'Work on many messages: how far it is, what failed, what is planned.',
    place: () => '#/jobs',
  },
  {
    name: 'schedules',
    title: 'Schedules',
    text: 'The next runs of tasks and processors.',
    place: () => '#/schedules',
  },
  {
    name: 'health',
    title: 'Health',
    text: 'What load balancers are told, and the reasons.',
    place: () => '#/health',
  },
  {
    name: 'logs',
    title: 'Logs',
    text: 'The log as it is written, with the artifact and the line of each; levels are changed here.',
    place: () => '#/logs',
  },
  {
    name: 'audit',
    title: 'Audit',
    text: 'Who has done what, from where, and how it ended.',
    place: () => '#/audit',
  },
  {
    name: 'configuration',
    title: 'Configuration',
    text: 'The settings in effect, and where each comes from.',
    place: () => '#/configuration',
  },
  {
    name: 'users',
    title: 'Users',
    text: 'Who may look and who may steer, who is logged in, and which tokens are valid.',
    withUsers: true,
    place: () => '#/users',
  },
  // The last one: its line of requests has begun with the first one.
  {
    name: 'overview',
    title: 'Overview',
    text: 'Is all well, and if not, where to look.',
    everywhere: true,
    place: () => '#/',
  },
];
