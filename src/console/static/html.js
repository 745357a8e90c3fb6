import htm from 'htm';
import { h } from 'preact';

/** Templates into elements. Everything that is interpolated is text or an attribute's value: preact escapes it. */
export const html = htm.bind(h);
