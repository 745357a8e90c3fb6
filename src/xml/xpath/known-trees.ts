import { parseXPath, type XPathTree } from './syntax.ts';

/** Expressions of which the tree is kept; more than most configurations have different ones. */
const MOST_TREES = 1_000;
/** Longer ones hardly come twice, characters. */
const LONGEST_SOURCE = 500;

const known = new Map<string, XPathTree>();

/**
 * The tree of an expression. Artifacts say the same few expressions again and again, and `evaluate()` says its own with every message: each is
 * parsed once, as long as it is not among the oldest of very many.
 * @throws XPathSyntaxError
 */
export function treeOf(source: string): XPathTree {
  const kept = known.get(source);
  if (kept) return kept;
  const tree = parseXPath(source);
  if (source.length > LONGEST_SOURCE) return tree;
  if (known.size >= MOST_TREES) known.delete(known.keys().next().value as string);
  known.set(source, tree);
  return tree;
}
