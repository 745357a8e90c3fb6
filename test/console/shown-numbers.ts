import type { Page } from 'playwright-core';

/** The texts of one column of a table, by the name in its row. */
export async function column(page: Page, caption: string, title: string): Promise<Map<string, string>> {
  const rows = await page.evaluate<Array<[string, string]>>(`(() => {
    const table = [...document.querySelectorAll('table')].find((one) => one.caption?.textContent === ${JSON.stringify(caption)});
    const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.trim() === ${JSON.stringify(title)});
    return [...table.tBodies[0].rows].map((row) => [
      row.querySelector('.name').textContent.trim(),
      (row.cells[at].querySelector('.depth') ?? row.cells[at]).firstChild.textContent,
    ]);
  })()`);
  return new Map(rows);
}

/** `~1,234` is 1234. */
export function numberOf(text: string | undefined): number {
  return Number(text?.replace(/[^\d.-]/g, '') || Number.NaN);
}

/** A whole column of them. */
export function numbersOf(column: ReadonlyMap<string, string>): Record<string, number> {
  return Object.fromEntries([...column].map(([name, text]) => [name, numberOf(text)]));
}

/** `1 min 4 s`, `4.2 s` in ms. */
export function spanOf(text: string | undefined): number {
  const parts = [...(text ?? '').matchAll(/([\d.]+) (s|min|h)/g)];
  if (parts.length === 0) return Number.NaN;
  return parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * { s: 1_000, min: 60_000, h: 3_600_000 }[unit as 's'],
    0,
  );
}

/** `endpoint 1,204 · 9.7/s` is 1204. */
export function edgeCount(label: string): number {
  return numberOf(/([\d,]+)(?: · \S+)?$/.exec(label)?.[1] ?? '0');
}
