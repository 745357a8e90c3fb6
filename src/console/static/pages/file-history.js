import { change, query as queryOf } from '../api.js';
import { ask } from '../components/dialog.js';
import { UnifiedDiff } from '../components/diff.js';
import { Icon } from '../components/icon.js';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { State, Tag } from '../components/state.js';
import { Table } from '../components/table.js';
import { Ago, Clock } from '../components/time.js';
import { tell } from '../components/toast.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { refine, sourceAt, to } from '../router.js';

/** Where the versions of a file are shown. */
export function historyOf(file) {
  return to(['artifacts', 'history'], { file });
}

/** What an artifact file was, what changed, and the way back (OP-36). @param {{file: string, query: Record<string, string>}} props */
export function FileHistory({ file, query }) {
  const versions = useResource(file && `artifacts/versions${queryOf({ file })}`, { events: ['deployment'] });
  const crumbs = [
    { text: 'Artifacts', href: to(['artifacts']) },
    { text: 'Deployments', href: to(['artifacts', 'deployments']) },
  ];
  const { list = [], lastGood } = versions.data ?? {};
  const [newest] = list;
  const back = async (version) => {
    if (await rollBack(file, version)) {
      refine({ from: undefined, to: undefined });
      await versions.reload();
    }
  };
  // Something is wrong now: the way out comes first.
  const wrong = newest && newest.result !== 'deployed' && lastGood !== undefined;
  const actions = html`${newest && newest.result !== 'removed' && html`<a class="button" href=${sourceAt(file)}>Source</a>`}
    ${wrong && html`<button type="button" class="primary" onClick=${() => back(lastGood)}><${Icon} name="back" size=${16} />Roll back to version ${lastGood}</button>`}`;
  const name = format.fileName(file);
  return html`<${Page} name=${name} title=${name || 'Versions'} crumbs=${crumbs} lead=${html`Versions of <span class="mono">${file}</span>`} actions=${actions}>
    ${
      versions.error?.status === 404
        ? html`<${Card}><${Empty} icon="artifact" title="No versions of this file are kept"><p>Archives have none; other files have theirs from the first deployment on.</p><//><//>`
        : html`<${Loading} of=${versions} what="the versions">${() => html`<${Changes} file=${file} list=${list} query=${query} />
            <${Card} title="Versions" note="the newest first" flush>
              <${Table} caption="Versions" rows=${list} columns=${columnsOf(file, list, lastGood, back)} keyOf=${({ version }) => String(version)} />
            <//>`}<//>`
    }
  <//>`;
}

function Changes({ file, list, query }) {
  const after = Number(query.to) || list[0]?.version;
  const before = Number(query.from) || list.find(({ version }) => version < after)?.version;
  const diff = useResource(before && `artifacts/diff${queryOf({ file, from: before, to: after })}`);
  if (!before)
    return html`<${Card}><${Empty} icon="artifact" title="There is one version only"><p>What changes from now on is shown here.</p><//><//>`;
  const choose = (label, value, name) => html`<label class="inline-field"><span>${label}</span>
    <select value=${value} onChange=${(event) => refine({ from: before, to: after, [name]: event.target.value })}>
      ${list.map(({ version }) => html`<option key=${version} value=${version}>version ${version}</option>`)}
    </select></label>`;
  return html`<${Card} title="What changed" flush note=${diff.data && html`<span class="good-text">+${diff.data.added}</span> <span class="bad-text">−${diff.data.removed}</span>`}
    actions=${html`${choose('from', before, 'from')}${choose('to', after, 'to')}`}>
    <${Loading} of=${diff} what="the difference">
      ${({ diff: text, onlySecretsDiffer }) => (text ? html`<${UnifiedDiff} text=${text} label=${`Changes from version ${before} to version ${after}`} />` : html`<${Empty} title=${onlySecretsDiffer ? 'Only secrets differ' : 'Nothing differs'}>${onlySecretsDiffer && html`<p>They are not shown.</p>`}<//>`)}
    <//>
  <//>`;
}

/** @returns {import('../components/table.js').Column[]} */
function columnsOf(file, list, lastGood, back) {
  return [
    {
      title: 'Version',
      class: 'fit',
      cell: ({ version, current }) =>
        html`<strong>${version}</strong> ${current ? html`<${Tag}>newest<//>` : version === lastGood && html`<${Tag}>last good<//>`}`,
    },
    { title: 'Result', cell: ({ result }) => html`<${State} state=${result} />` },
    { title: 'Size', class: 'num hide-s', cell: ({ chars }) => format.size(chars) },
    {
      title: 'When',
      class: 'fit',
      cell: ({ time }) => html`<${Clock} at=${time} /><span class="sub"><${Ago} at=${time} /></span>`,
    },
    {
      title: html`<span class="sr">Actions</span>`,
      class: 'fit',
      cell: ({ version, current, kept, result }, index = list.findIndex((one) => one.version === version)) =>
        html`<div class="row-actions">
          ${index < list.length - 1 && html`<a class="button small" href=${to(['artifacts', 'history'], { file, from: list[index + 1].version, to: version })}>Changes</a>`}
          ${!current && result !== 'removed' && html`<button type="button" class="small" disabled=${!kept} title=${kept ? undefined : 'Its text is not kept any more'} onClick=${() => back(version)}><${Icon} name="back" size=${15} />Roll back</button>`}
        </div>`,
    },
  ];
}

/** Asks, and writes the file as it was. @returns {Promise<any>} undefined: nothing was done */
async function rollBack(file, version) {
  const result = await ask({
    title: `Roll back to version ${version}?`,
    action: 'Roll back',
    text: html`<p><span class="mono">${file}</span> is written as version ${version} was, and deployed. What it is now stays among the versions.</p>`,
    act: () => change('POST', 'artifacts/rollback', { file, version }),
  });
  if (result)
    tell(
      `${format.fileName(file)} is version ${version} again: ${result.state}`,
      result.state === 'faulty' ? 'bad' : 'good',
    );
  return result;
}
