/**
 * The pages: where they are in the menu, their key after `g`, and the module that is loaded when they are opened.
 * @typedef {{path: string, text: string, icon: string, key?: string, group: string, load: () => Promise<any>, hidden?: boolean}} Route
 */

/** @type {Route[]} */
export const ROUTES = [
  { path: '', text: 'Overview', icon: 'overview', key: 'o', group: '', load: () => import('./pages/overview.js') },
  {
    path: 'stores',
    text: 'Stores',
    icon: 'store',
    key: 's',
    group: 'Messages',
    load: () => import('./pages/stores.js'),
  },
  {
    path: 'processors',
    text: 'Processors',
    icon: 'processor',
    key: 'p',
    group: 'Messages',
    load: () => import('./pages/processors.js'),
  },
  {
    path: 'traces',
    text: 'Traces',
    icon: 'trace',
    key: 't',
    group: 'Messages',
    load: () => import('./pages/traces.js'),
  },
  {
    path: 'send',
    text: 'Send a message',
    icon: 'send',
    key: 'm',
    group: 'Messages',
    load: () => import('./pages/send.js'),
  },
  { path: 'graph', text: 'Graph', icon: 'graph', key: 'g', group: 'Mediation', load: () => import('./pages/graph.js') },
  {
    path: 'endpoints',
    text: 'Endpoints',
    icon: 'endpoint',
    key: 'e',
    group: 'Mediation',
    load: () => import('./pages/endpoints.js'),
  },
  {
    path: 'artifacts',
    text: 'Artifacts',
    icon: 'artifact',
    key: 'a',
    group: 'Mediation',
    load: () => import('./pages/artifacts.js'),
  },
  {
    path: 'schedules',
    text: 'Schedules',
    icon: 'schedule',
    key: 'c',
    group: 'Mediation',
    load: () => import('./pages/schedules.js'),
  },
  {
    path: 'health',
    text: 'Health',
    icon: 'health',
    key: 'h',
    group: 'Server',
    load: () => import('./pages/health.js'),
  },
  { path: 'logs', text: 'Logs', icon: 'log', key: 'l', group: 'Server', load: () => import('./pages/logs.js') },
  {
    path: 'alerts',
    text: 'Alerts',
    icon: 'alert',
    key: 'w',
    group: 'Server',
    load: () => import('./pages/alerts.js'),
  },
  { path: 'jobs', text: 'Jobs', icon: 'job', key: 'j', group: 'Server', load: () => import('./pages/jobs.js') },
  { path: 'audit', text: 'Audit', icon: 'audit', key: 'u', group: 'Server', load: () => import('./pages/audit.js') },
  { path: 'users', text: 'Users', icon: 'client', key: 'r', group: 'Server', load: () => import('./pages/users.js') },
  {
    path: 'configuration',
    text: 'Configuration',
    icon: 'configuration',
    key: 'f',
    group: 'Server',
    load: () => import('./pages/configuration.js'),
  },
  {
    path: 'source',
    text: 'Source',
    icon: 'artifact',
    group: '',
    hidden: true,
    load: () => import('./pages/source.js'),
  },
];

/** @param {string[]} segments @returns {Route | undefined} */
export function routeOf([first = '']) {
  return ROUTES.find(({ path }) => path === first);
}
