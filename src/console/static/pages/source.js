import { query } from '../api.js';
import { Code, CopyButton } from '../components/code.js';
import { Icon } from '../components/icon.js';
import { Card, Empty, Loading, Page } from '../components/page.js';
import { ProblemFrame } from '../components/problem-frame.js';
import { Tag } from '../components/state.js';
import * as format from '../format.js';
import { useResource } from '../hooks.js';
import { html } from '../html.js';
import { sourceAt, to } from '../router.js';

/** The text of an artifact file, at a line. */
export default function Source({ place }) {
  const { file, line } = place.query;
  const source = useResource(file && `artifacts/source${query({ file })}`, { events: ['deployment'] });
  return html`<${Page} name=${format.fileName(file)} title=${format.fileName(file) || 'Source'} crumbs=${[{ text: 'Artifacts', href: to(['artifacts']) }]} lead=${html`<span class="mono">${file}</span>`}
    actions=${source.data && html`<a class="button quiet small" href=${to(['artifacts', 'history'], { file: source.data.file.split('!/')[0] })}><${Icon} name="schedule" size=${15} />Versions</a><${CopyButton} text=${source.data.text} />`}>
    ${
      file
        ? html`<${Loading} of=${source} what="the source">${(data) => html`<${Text} data=${data} file=${file} line=${Number(line) || undefined} />`}<//>`
        : html`<${Card}><${Empty} icon="artifact" title="No file is named"><a href=${to(['artifacts', 'all'])}>Choose an artifact</a><//><//>`
    }
  <//>`;
}

function Text({ data: { text, artifacts = [], problems = [] }, file, line }) {
  return html`${artifacts.length > 0 && html`<p class="links">${artifacts.map((one) => html`<a key=${one.name + one.line} href=${sourceAt(file, one.line)}><${Tag}>${one.kind} ${one.name}<//></a>`)}</p>`}
    ${problems.length > 0 && html`<${Card} flush>${problems.map((problem, index) => html`<${ProblemFrame} key=${index} problem=${problem} file=${file} />`)}<//>`}
    <${Card} flush><${Code} text=${text} language=${/\.json$/.test(file) ? 'json' : 'xml'} mark=${line} label=${`Source of ${file}`} /><//>`;
}
