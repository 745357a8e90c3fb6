import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon, iconPath } from '../components/icon.js';
import { stateText, toneOf } from '../components/state.js';
import { rate, short } from '../format.js';
import { html } from '../html.js';
import { cutTo } from './cut-text.js';

const MIN_SCALE = 0.15;
/** Smaller texts are hard to read; a graph that is whole at a scale a little below is shown whole. */
const READABLE = 0.85;
const STILL_READABLE = 0.65;
const MAX_SCALE = 2.5;
const STEP = 1.25;
const ICONS = { inbound: 'download', api: 'endpoint', task: 'schedule' };

/**
 * The arranged graph, to be moved and zoomed: by dragging and the wheel, by buttons, by arrow keys and + - 0.
 * @param {{picture: any, counts: Map<string, {count: number, errors: number, perSecond: number}>, states: Map<string, string>, selected?: string,
 *   onSelect: (id: string) => void}} props
 */
export function Picture({ picture, counts, states, selected, onSelect }) {
  const frame = useRef();
  const [view, setView] = useState({ x: 0, y: 0, scale: 1 });
  const chosen = useRef(selected);
  chosen.current = selected;
  const begin = () => {
    if (frame.current) setView(fitting(frame.current, picture, chosen.current, READABLE));
  };
  const showAll = () => setView(fitting(frame.current, picture, undefined, MIN_SCALE));
  const reveal = (node) => setView((before) => revealing(frame.current, node, before));
  useLayoutEffect(begin, [picture]);
  useEffect(() => {
    const observer = new ResizeObserver(begin);
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, [picture]);
  const zoom = (factor, at) => setView((before) => zoomed(before, factor, at ?? centre(frame.current)));
  useWheel(frame, (event) => zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1, placeOf(event, frame.current)));
  const drag = useDrag((dx, dy) => setView(({ x, y, scale }) => ({ x: x + dx, y: y + dy, scale })));
  const pressed = (event) => {
    const move = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (move) setView(({ x, y, scale }) => ({ x: x + move[0], y: y + move[1], scale }));
    else if (event.key === '+' || event.key === '=') zoom(STEP);
    else if (event.key === '-') zoom(1 / STEP);
    else if (event.key === '0') showAll();
    else return;
    event.preventDefault();
  };
  return html`<div class="graph-frame" ref=${frame}>
    <svg class="graph" tabindex="0" role="group" aria-label="Mediation graph. Arrow keys move it, plus and minus zoom, Tab goes through its nodes" onKeyDown=${pressed} ...${drag}>
      <defs>
        <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0.500 8 4 0 7.500z" /></marker>
      </defs>
      <g transform=${`translate(${view.x} ${view.y}) scale(${view.scale})`}>
        ${picture.edges.map((edge) => html`<${EdgeLine} key=${edge.id} edge=${edge} counts=${counts.get(edge.id)} lit=${selected === edge.from || selected === edge.to} />`)}
        ${picture.nodes.map((node) => html`<${NodeBox} key=${node.id} node=${node} state=${states.get(node.id)} selected=${selected === node.id} onSelect=${onSelect} onReach=${reveal} />`)}
      </g>
    </svg>
    <div class="graph-buttons">
      <button type="button" class="icon-only" aria-label="Zoom in" onClick=${() => zoom(STEP)}><${Icon} name="plus" /></button>
      <button type="button" class="icon-only" aria-label="Zoom out" onClick=${() => zoom(1 / STEP)}><${Icon} name="minus" /></button>
      <button type="button" class="icon-only" aria-label="Show all" onClick=${showAll}><${Icon} name="fit" /></button>
    </div>
  </div>`;
}

function NodeBox({ node, state, selected, onSelect, onReach }) {
  const { id, kind, label, x, y, width, height } = node;
  const tone = state === undefined ? '' : toneOf(state);
  const choose = (event) => {
    if (event.type === 'keydown' && event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    event.stopPropagation();
    onSelect(id);
  };
  // What is seen is what it is called; the whole name is its description.
  const shown = cutTo(label, width - (kind === 'mediator' ? 20 : 44));
  const called = (name) => `${kind} ${name}${state ? `, ${stateText(state)}` : ''}`;
  return html`<g class=${`node ${kind} ${tone} ${selected ? 'selected' : ''}`} transform=${`translate(${x - width / 2} ${y - height / 2})`} tabindex="0" role="button"
    aria-label=${called(shown)} aria-pressed=${selected} onClick=${choose} onKeyDown=${choose}
    onFocus=${(event) => event.currentTarget.matches(':focus-visible') && onReach(node)}>
    <title>${called(label)}</title>
    <rect width=${width} height=${height} rx=${kind === 'mediator' ? height / 2 : 9} />
    ${
      kind !== 'mediator' &&
      html`<svg class="node-icon" x="11" y=${height / 2 - 8} width="16" height="16" viewBox="0 0 24 24"><path d=${iconPath(ICONS[kind] ?? kind)} /></svg>`
    }
    <text x=${kind === 'mediator' ? width / 2 : 34} y=${height / 2} text-anchor=${kind === 'mediator' ? 'middle' : 'start'}>${shown}</text>
    ${tone && html`<circle class="node-state" cx=${width - 2} cy="2" r="5" />`}
  </g>`;
}

function EdgeLine({ edge, counts, lit }) {
  const { count = 0, errors = 0, perSecond = 0 } = counts ?? {};
  const classes = ['edge', perSecond > 0 && 'flows', errors > 0 && 'failed', count === 0 && 'unused', lit && 'lit']
    .filter(Boolean)
    .join(' ');
  const figures = count === 0 ? '' : `${short(count)}${perSecond > 0 ? ` · ${rate(perSecond)}/s` : ''}`;
  const label = [edge.label, figures].filter(Boolean).join(' ');
  const failed = errors > 0 ? `${short(errors)} failed` : '';
  const width = Math.max(label.length, failed.length) * 6.4 + 10;
  return html`<g class=${classes} data-from=${edge.from} data-to=${edge.to}>
    <path d=${edge.path} marker-end="url(#arrow)" />
    ${
      label &&
      html`<g class="edge-label" transform=${`translate(${edge.x} ${edge.y})`}>
        <rect x=${-width / 2} y="-8" width=${width} height=${failed ? 30 : 16} rx="5" /><text text-anchor="middle" y="0.500">${label}</text>
      </g>`
    }
    ${failed && html`<text class="edge-errors" x=${edge.x} y=${edge.y + 14} text-anchor="middle">${failed}</text>`}
  </g>`;
}

/** All of it in view, but not smaller than this; then around the chosen node, else from its beginning. */
function fitting({ clientWidth, clientHeight }, { width, height, nodes }, chosen, smallest) {
  const whole = Math.min(clientWidth / width, clientHeight / height);
  const scale = Math.min(1.15, whole >= STILL_READABLE ? whole : Math.max(whole, smallest));
  const node = nodes.find(({ id }) => id === chosen) ?? nodes.find(({ kind }) => kind === 'client');
  const along = (size, length, at) => {
    const spare = size - length * scale;
    if (spare >= 0) return spare / 2;
    return at === undefined ? 0 : Math.min(0, Math.max(spare, size / 2 - at * scale));
  };
  return { x: along(clientWidth, width, node?.x), y: along(clientHeight, height, node?.y), scale };
}

/** The view, moved so far that a node that the keyboard has come to is in it. */
function revealing({ clientWidth, clientHeight }, { x, y, width, height }, view) {
  const along = (offset, size, at, length) => {
    const [from, until] = [offset + (at - length / 2) * view.scale, offset + (at + length / 2) * view.scale];
    return from >= 0 && until <= size ? offset : size / 2 - at * view.scale;
  };
  return { ...view, x: along(view.x, clientWidth, x, width), y: along(view.y, clientHeight, y, height) };
}

function zoomed({ x, y, scale }, factor, at) {
  const wanted = Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale * factor));
  const by = wanted / scale;
  return { x: at.x - (at.x - x) * by, y: at.y - (at.y - y) * by, scale: wanted };
}

function centre({ clientWidth, clientHeight }) {
  return { x: clientWidth / 2, y: clientHeight / 2 };
}

function placeOf({ clientX, clientY }, frame) {
  const { left, top } = frame.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}

/** With Ctrl, or where the page cannot scroll anyway, the wheel zooms. */
function useWheel(frame, callback) {
  const latest = useRef(callback);
  latest.current = callback;
  useEffect(() => {
    const turned = (event) => {
      event.preventDefault();
      latest.current(event);
    };
    const element = frame.current;
    element.addEventListener('wheel', turned, { passive: false });
    return () => element.removeEventListener('wheel', turned);
  }, []);
}

/** One pointer drags; it is taken only when it has moved, so that clicks arrive. */
function useDrag(move) {
  const from = useRef();
  return {
    onPointerDown: (event) => {
      if (event.button === 0) from.current = { x: event.clientX, y: event.clientY, id: event.pointerId, taken: false };
    },
    onPointerMove: (event) => {
      const start = from.current;
      if (!start || start.id !== event.pointerId) return;
      const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
      if (!start.taken && Math.hypot(dx, dy) < 4) return;
      if (!start.taken) event.currentTarget.setPointerCapture(event.pointerId);
      from.current = { ...start, x: event.clientX, y: event.clientY, taken: true };
      move(dx, dy);
    },
    onPointerUp: () => {
      from.current = undefined;
    },
    onPointerCancel: () => {
      from.current = undefined;
    },
  };
}
