import { Icon } from '../components/icon.js';
import { Card, Empty, Facts, Figure, Page } from '../components/page.js';
import { State } from '../components/state.js';
import * as format from '../format.js';
import { html } from '../html.js';
import { useLive } from '../live.js';

/** What orchestrators are told, and how the process fares. */
export default function Health() {
  const { overview, stream, error } = useLive();
  if (!overview)
    return html`<${Page} title="Health"><${Card}><${Empty} icon="health" title=${error ?? 'Asking the server …'} /><//><//>`;
  const { health, server, listeners } = overview;
  return html`<${Page} title="Health" lead="What load balancers and orchestrators are told">
    <div class="figures">
      <${Figure} label="Live" value=${health.live ? 'yes' : 'no'} tone=${health.live ? '' : 'bad'} note=${html`<a href="/health/live">/health/live</a>`} />
      <${Figure} label="Ready" value=${health.ready ? 'yes' : 'no'} tone=${health.ready ? '' : 'bad'} note=${html`<a href="/health/ready">/health/ready</a>`} />
      <${Figure} label="Event loop delay, p99" value=${format.duration(server.eventLoopP99Ms)} tone=${server.eventLoopP99Ms > 50 ? 'busy' : ''} note="below 50 ms is fine" />
      <${Figure} label="Memory" value=${format.size(server.rssBytes)} note=${`heap ${format.size(server.heapBytes)}`} />
      <${Figure} label="Running for" value=${format.span(server.uptimeMs)} note=${`process ${server.pid}`} />
    </div>
    <${Card} title="Reasons" note="what is not as it should be">
      ${
        health.reasons.length === 0
          ? html`<${Empty} title="Nothing is wrong" />`
          : html`<ul class="reasons">${health.reasons.map((reason) => html`<li key=${reason}><${Icon} name="warning" size=${16} />${reason}</li>`)}</ul>`
      }
    <//>
    <${Card} title="Server">
      <${Facts} rows=${[
        ['Name', server.name],
        ['Version', server.version],
        ['Profile', server.profile],
        ['Node.js', server.node],
        ['Started', format.moment(server.startedAt)],
        ['Listening on', listeners.map(({ scheme, host, port }) => `${scheme}://${host}:${port}`).join(', ')],
        [
          'Event stream',
          html`<${State} tone=${stream === 'live' ? 'good' : 'busy'}>${stream === 'live' ? 'open' : 'down'}<//>`,
        ],
        [
          'For machines',
          html`<a href="/metrics">/metrics</a> · /health/artifacts · <a href="/management/openapi.json">OpenAPI</a>`,
        ],
      ]} />
    <//>
  <//>`;
}
