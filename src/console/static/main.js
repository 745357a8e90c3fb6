import { render } from 'preact';
import { html } from './html.js';
import { Shell } from './shell.js';

const root = document.getElementById('app');
root.replaceChildren();
render(html`<${Shell} />`, root);
