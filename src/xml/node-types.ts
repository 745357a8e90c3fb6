/** The `nodeType` values that occur in our documents. */
export const NODE_TYPES = {
  element: 1,
  attribute: 2,
  text: 3,
  cdata: 4,
  processingInstruction: 7,
  comment: 8,
  document: 9,
} as const;
